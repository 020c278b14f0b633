# SPDX-License-Identifier: Apache-2.0
"""The input: an invented access log, the same every time, kept between runs. Its times run in order over so many hours
that each has 64 MiB of it; `country` has 24 values and `tenant` 2,000, both interleaved."""
import json
import subprocess

HOUR_BYTES = 64 << 20


class Input:
    def __init__(self, path, number_of_bytes, lines):
        self.path, self.bytes, self.lines = path, number_of_bytes, lines

    def warm(self):
        """Into the page cache, so that nobody is charged for the disk; what does not fit is read from it by all."""
        subprocess.run(["cat", self.path], stdout=subprocess.DEVNULL, check=True)
        return self


def access_log(options, number_of_bytes, form="ndjson"):
    folder = options.folder / "in"
    folder.mkdir(exist_ok=True)
    path = folder / f"access-{number_of_bytes}.{form}"
    told = path.with_suffix(".json" if form == "ndjson" else f".{form}.json")
    if not told.exists():
        span = max(1, number_of_bytes // HOUR_BYTES)
        command = [options.make_logs, "--bytes", str(number_of_bytes), "--format", form, "--seed", "1", "--span", str(span)]
        with open(path, "wb") as out:
            made = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, check=True)
        told.write_bytes(made.stderr)
    facts = json.loads(told.read_text())
    return Input(path, facts["bytes"], facts["lines"])
