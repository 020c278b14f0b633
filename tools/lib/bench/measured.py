# SPDX-License-Identifier: Apache-2.0
"""A run of sluice in a folder of its own."""
import itertools
import os
import shutil

import child

HOUR, COUNTRY, TENANT, ONE = "hour={time:%Y-%m-%dT%H}", "country={country}", "tenant={tenant}", ""
METHOD = "country={country}/method={method}"  # 120 values, from 10 KiB to 100 MiB of 1 GiB
LANES = 2
NDJSON = ("converter: ndjson", "time: {field: time, format: rfc3339}")  # lines of the source in the configuration


class Pipelines:
    """Makes folders for runs. They stay until the end: removing files makes the next ones dearer on some file systems
    (ext4 without a journal looks for inodes that were not deleted lately), which would be charged to the next run."""

    def __init__(self, options):
        self.sluice = options.sluice
        self.folder = options.folder / f"runs-{os.getpid()}"  # two benchmarks may run at a time
        self.keep = options.keep
        for old in options.folder.glob("runs-*"):  # of one that was killed, or kept its objects
            if not os.path.exists(f"/proc/{old.name[5:]}"):
                shutil.rmtree(old, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.numbers = itertools.count(1)

    def make(self, partition, level, paths, extra="", source=NDJSON):
        return Pipeline(self.sluice, self.folder / str(next(self.numbers)), partition, level, paths, extra, source)

    def done(self):
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)


class Pipeline:
    def __init__(self, sluice, folder, partition, level, paths, extra, source):
        folder.mkdir()
        source = "".join(f"    {line}\n" for line in source)
        self.sluice, self.folder, self.out, self.level = sluice, folder, folder / "out", level
        self.config, self.log = folder / "sluice.yaml", folder / "log"
        self.config.write_text(f"""\
pipeline: bench
generation: 1
sources:
  - name: access
    paths: ["{paths}"]
{source}output:
  url: file://{self.out}
  partition: "{partition}"
  format: jsonl.zst
  level: {level}
state: {folder / "state"}
lanes: {LANES}
{extra}""")

    def command(self, *options):
        return [self.sluice, "run", self.config, "--quiet", *options]

    def once(self, lines):
        """Runs to the end. `lines` is what the input holds: a run that did not convert all of them is no result."""
        cost = child.run(self.command("--once", "--metrics", self.folder / "metrics"), self.log)
        cost.metrics = child.parse_metrics((self.folder / "metrics").read_text())
        read = cost.metrics['sluice_lines_read_total{source="access"}']
        if read != lines:
            raise SystemExit(f"bench: {self.folder}: {read:.0f} lines of {lines} were converted")
        return cost

    def objects(self):
        """{partition: [files]} of the output."""
        found = {}
        for file in sorted(self.out.glob("g1/**/*.jsonl.zst")):
            found.setdefault(str(file.parent.relative_to(self.out / "g1")), []).append(file)
        return found
