# SPDX-License-Identifier: Apache-2.0
"""demo_fleet: the input of tools/demo through a fleet on Kafka, Redis and S3, with two processes killed on the way, beside
what one process on one machine made of it.

    demo_fleet.py FOLDER STANDALONE_OUT    FOLDER has in/; STANDALONE_OUT is what `sluice run` made of it
"""
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/fleet"), str(ROOT / "tests/lib"), str(ROOT / "tests/e2e")]
from fleet import BINARY, BUCKET, Fleet, Servers, group_tool, readers  # noqa: E402

BOLD, DIM, PLAIN = ("\x1b[1m", "\x1b[2m", "\x1b[0m") if sys.stdout.isatty() else ("", "", "")


def title(text):
    print(f"\n{BOLD}== {text} =={PLAIN}", flush=True)


def show(fleet, *words, lines=40):
    """Says a command as a person would type it, and runs it."""
    print(f"{DIM}$ sluice {' '.join(map(str, words))}{PLAIN}", flush=True)
    done = subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    text = (done.stdout + done.stderr).splitlines()
    print("\n".join(text[:lines] + ([f"… {len(text) - lines} more lines"] if len(text) > lines else [])), flush=True)
    if done.returncode:
        sys.exit(f"exit code {done.returncode}")


class Demo(Fleet):
    """The pipeline of tools/demo, with the fleet's servers instead of a state folder."""

    def __init__(self, folder, servers):
        super().__init__(folder, servers, partitions=4, flush="3s")
        self.prefix = "demo"
        self.settings["pipeline"] = "demo"
        closes = {"close_after": "2s", "rotated_after": "2s", "stripe_bytes": "16MiB"}
        self.settings["sources"] = [
            {"name": "app", "paths": [f"{self.inputs}/*.ndjson"], "converter": "ndjson",
             "time": {"field": "time", "format": "rfc3339"}, **closes},
            {"name": "web", "paths": [f"{self.inputs}/*.access.log"], "converter": "combined", **closes}]
        self.settings["output"].update({
            "url": f"s3://{BUCKET}/demo", "object_bytes": "16MiB",
            "partition": "source={source}/dt={time:%Y-%m-%d}/hour={time:%H}"})
        self.out = self.folder / "fleet-out"

    def input_files(self):
        return [p for p in self.inputs.iterdir() if not p.name.startswith(".")]

    def is_done(self):
        ends = self.receipted()
        return all(ends.get(p.stat().st_ino, (-1, ""))[0] == p.stat().st_size for p in self.input_files())

    def lag(self, group):
        rows = group_tool(self.servers.kafka, "--describe", "--group", f"demo.{group}")[1].splitlines()
        found = [row.split()[5] for row in rows if row.startswith("demo.")]
        return sum(int(x) for x in found if x.isdigit())


def watch(fleet):
    """What an operator sees, until every file has its receipt; a worker and an uploader are killed on the way."""
    kills = ["worker", "uploader"]
    print("  seconds  jobs behind  blocks behind  objects  receipts", flush=True)
    start = time.monotonic()
    while not fleet.is_done():
        objects = len([k for k in fleet.list() if k[0] == "g"])
        receipts = len(fleet.list("_receipts/"))
        print(f"  {time.monotonic() - start:7.0f}  {fleet.lag('workers.g1'):11d}  {fleet.lag('uploaders'):13d}  {objects:7d}  "
              f"{receipts:8d}", flush=True)
        if kills:
            victim = fleet.living(kills.pop(0))[0]
            victim.kill()
            print(f"  {BOLD}kill -9 {victim.name}{PLAIN}", flush=True)
        if time.monotonic() - start > 600:
            sys.exit(f"not done in ten minutes\n{fleet.logs()}")
        time.sleep(0.5)
    print(f"  every file has its receipt after {time.monotonic() - start:.0f} s", flush=True)


def compare(fleet, alone):
    """Multisets of lines: what the fleet made against what one process made."""
    def all_of(out):
        found = readers.multiset(line for _, line in readers.records(out))
        return found + readers.multiset(r["bytes"] for r in readers.rejects(out))
    one, many = all_of(alone), all_of(fleet.mirror())
    print(f"one process: {one.total()} lines, the fleet: {many.total()} lines, "
          f"missing {(one - many).total()}, too many {(many - one).total()}", flush=True)
    if one != many:
        sys.exit("NOT EQUAL")


def main():
    folder, alone = Path(sys.argv[1]), Path(sys.argv[2])
    for name in ("fleet-out", "cache"):
        shutil.rmtree(folder / name, ignore_errors=True)
    title("Kafka, Redis and an S3 server, on 127.0.0.1")
    with Servers() as servers, Demo(folder, servers) as fleet:
        print(f"kafka {servers.kafka_at}, redis {servers.redis_at}, s3 {servers.s3_at}")
        fleet.write_config()
        show(fleet, "init", fleet.config_path)
        title("Two emitters on one folder, four workers, two uploaders")
        fleet.start_all(emitters=2, workers=4, uploaders=2)
        watch(fleet)
        title("A receipt: what came of one file")
        key = next(k for k in fleet.list("_receipts/") if b"real.access.log" in servers.s3.client().get(
            BUCKET, f"{fleet.prefix}/{k}"))
        receipt = json.loads(servers.s3.client().get(BUCKET, f"{fleet.prefix}/{key}"))
        print("\n".join(json.dumps(receipt, indent=1).splitlines()[:30]), flush=True)
        fleet.drain_all()
        title("The audit reads every object back")
        show(fleet, "audit", "--config", fleet.config_path, "--deep")
        title("Line for line what one process made")
        compare(fleet, alone)
        title("The status")
        show(fleet, "status", "--config", fleet.config_path)


if __name__ == "__main__":
    main()
