# SPDX-License-Identifier: Apache-2.0
"""fleet_bench: a fleet with its servers on this one machine: CPU beside bare zstd, memory, how old data is when it can be
read, and how a backlog drains with one worker and with six.

CPU-seconds are those of sluice's own processes; what Kafka, Redis and the S3 server take is told beside them. The zstd tool
runs on the same input while the fleet works on it, so that both see the same machine.
"""
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/fleet"), str(ROOT / "tests/lib"), str(ROOT / "tests/e2e")]
from fleet import BUCKET, Fleet, Servers, group_members, readers  # noqa: E402
from pipeline import make_logs  # noqa: E402
from targets import table  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
MEBI = 1 << 20
THROTTLE = 0.015  # the share of a core that a throttled worker gets: converting has to take long beside what is fixed


class Usage:
    """What a process took: CPU seconds, and at most how much memory."""

    def __init__(self):
        self.cpu, self.peak = {}, {}

    def look(self, name, pid):
        try:
            words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            self.cpu[name] = (int(words[11]) + int(words[12])) / TICKS
            status = Path(f"/proc/{pid}/status").read_text()
            peak = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), 0)
            self.peak[name] = int(peak) / 1024
        except (FileNotFoundError, ProcessLookupError):
            pass

    def look_all(self, fleet):
        for process in fleet.processes:
            self.look(process.name, process.process.pid)
        for name in ("kafka", "redis", "s3"):
            server = fleet.servers.by_name(name)
            if server.process:
                self.look(name, server.process.pid)

    def of(self, *starts):
        return sum(value for name, value in self.cpu.items() if name.startswith(starts))

    def peak_of(self, start):
        return max((value for name, value in self.peak.items() if name.startswith(start)), default=0)


def zstd_cpu(path, level, stop):
    """CPU seconds of one run of the tool, again and again until `stop`; the median."""
    costs = []
    while not costs or not stop.is_set():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with open(path, "rb") as source:
            subprocess.run(["zstd", f"-{level}", "-T1", "-c"], stdin=source, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(costs)


def idle_share(fleet):
    """Of the workers' lanes while there was work: from what they wrote at their end."""
    waits = seconds = 0.0
    for path in fleet.folder.glob("worker-*.prom"):
        for line in path.read_text().splitlines():
            if line.startswith('sluice_lane_stage_seconds_total{stage="'):
                stage = line.split('"')[1]
                value = float(line.split()[-1])
                seconds += value
                waits += value if stage == "wait" else 0
    return waits / seconds if seconds else float("nan")


def throughput(options, log, targets):
    rows = []
    for level in options.levels:
        folder = options.folder / "fleet"
        shutil.rmtree(folder, ignore_errors=True)
        with Servers() as servers, Fleet(folder, servers, partitions=2, flush="10s") as fleet:
            os.link(log.path, fleet.inputs / "log.ndjson")
            fleet.source(stripe_bytes="64MiB", close_after="2s").output(
                partition="dt={time:%Y-%m-%d}/hour={time:%H}", level=level, object_bytes="64MiB")
            fleet.set(lanes=2)
            fleet.init()
            usage, stop = Usage(), threading.Event()
            bare = []
            other = threading.Thread(target=lambda: bare.append(zstd_cpu(log.path, level, stop)))
            start = time.monotonic()
            fleet.start("uploader")
            fleet.start("worker", "--metrics", str(fleet.folder / "worker-1.prom"))
            fleet.start("emitter")
            other.start()
            while not fleet.is_done():
                usage.look_all(fleet)
                time.sleep(0.3)
            wall = time.monotonic() - start
            usage.look_all(fleet)
            stop.set()
            other.join()
            fleet.drain_all()
            ours = usage.of("emitter", "worker", "uploader")
            rows.append([f"-{level}", f"{log.bytes / MEBI / ours:.0f}", f"{log.bytes / MEBI / bare[0]:.0f}",
                         f"{bare[0] / ours:.2f}", f"{wall:.0f}", f"{ours:.1f}", f"{usage.of('kafka'):.1f}",
                         f"{usage.of('redis'):.1f}", f"{usage.of('s3'):.1f}", f"{usage.peak_of('worker'):.0f}",
                         f"{usage.peak_of('uploader'):.0f}", f"{idle_share(fleet) * 100:.1f}%"])
            targets.at_least(f"fleet, level {level}: CPU beside zstd under the same load", bare[0] / ours, 0.6)
            targets.at_most("fleet: memory of a worker with 2 lanes", usage.peak_of("worker"), 256, "MiB")
            targets.at_most("fleet: memory of an uploader", usage.peak_of("uploader"), 128, "MiB")
    table("A fleet with its servers on this machine, by hour",
          ["level", "MB/CPU s", "zstd", "ratio", "wall s", "CPU s ours", "kafka", "redis", "s3", "worker MiB",
           "uploader MiB", "lanes wait"], rows,
          "MB of input a CPU second of emitter, worker and uploader together, beside the zstd tool that runs at the same "
          "time; wall is from the start of the processes to the last receipt.")


class Reader(threading.Thread):
    """Sees lines appear in the bucket: when a manifest is there, its objects can be read."""

    def __init__(self, fleet):
        super().__init__(daemon=True)
        self.fleet, self.seen, self.ages, self.done = fleet, set(), [], threading.Event()

    def run(self):
        client = self.fleet.servers.s3.client()
        while not self.done.is_set():
            for key in self.fleet.list("_manifests/"):
                if key in self.seen:
                    continue
                self.seen.add(key)
                now = time.time()
                manifest = json.loads(client.get(BUCKET, f"{self.fleet.prefix}/{key}"))
                for listed in manifest["objects"]:
                    path = self.fleet.folder / "object"
                    path.write_bytes(client.get(BUCKET, f"{self.fleet.prefix}/{listed['key']}"))
                    self.ages += [now - json.loads(line)["at"] for line in readers.lines_of(path)]
            time.sleep(0.1)


def freshness(options, targets):
    folder = options.folder / "fleet"
    shutil.rmtree(folder, ignore_errors=True)
    seconds = 20 if options.short else 90
    with Servers() as servers, Fleet(folder, servers, partitions=2, flush="5s") as fleet:
        fleet.source(time_field=None, close_after="10m").output(partition="")
        fleet.settings["jobs"]["void_after"] = "10s"
        fleet.init()
        fleet.start_all(workers=2)
        reader = Reader(fleet)
        reader.start()

        def write(for_seconds):
            end = time.monotonic() + for_seconds
            with open(fleet.inputs / "live.ndjson", "a", buffering=1) as out:
                while time.monotonic() < end:
                    out.write(json.dumps({"at": time.time(), "text": "x" * 100}) + "\n")
                    time.sleep(0.02)
        write(seconds)
        time.sleep(8)
        ages = sorted(reader.ages)
        calm, reader.ages = ages, []
        write(3)
        fleet.living("worker")[0].kill()
        write(max(10, seconds / 3))
        deadline = time.monotonic() + 120
        lines = sum(1 for _ in open(fleet.inputs / "live.ndjson"))
        while len(calm) + len(reader.ages) < lines and time.monotonic() < deadline:
            time.sleep(0.5)
        reader.done.set()
        reader.join()
        worst = max(reader.ages)
        p50, p99 = calm[len(calm) // 2], calm[int(len(calm) * 0.99)]
    table("Freshness: from a line that is written to an object that can be read, flush: 5s",
          ["p50 s", "p99 s", "worst after kill -9 of a worker, s", "lines"],
          [[f"{p50:.1f}", f"{p99:.1f}", f"{worst:.1f}", str(lines)]],
          "void_after is 10 s here and a session 6 s: what a dead worker had begun is waited for so long.")


class Throttle(threading.Thread):
    """Lets a process run for a part of each period only, so that six of them scale on a machine of two cores."""

    def __init__(self, process, share):
        super().__init__(daemon=True)
        self.process, self.share = process, share

    def run(self):
        period = 0.2
        while self.process.alive:
            self.process.signal(signal.SIGCONT)
            time.sleep(period * self.share)
            self.process.signal(signal.SIGSTOP)
            time.sleep(period * (1 - self.share))


def drain_seconds(fleet, workers, generation):
    """How long the jobs of all files take with so many workers, which are in their group and throttled when the emitter
    publishes them: what a start costs is no part of it."""
    fleet.settings["generation"] = generation
    fleet.write_config()
    fleet.init()
    some = [fleet.start("worker") for _ in range(workers)]
    running = [fleet.start("uploader")]
    while group_members(fleet.servers.kafka, f"fleet.workers.g{generation}") < workers:
        time.sleep(1)
    for process in some:
        Throttle(process, THROTTLE).start()
    start = time.monotonic()
    running.append(fleet.start("emitter"))
    fleet.until_done(900)
    took = time.monotonic() - start
    for process in some + running:
        process.signal(signal.SIGCONT)
        process.kill()
    return took


def scaling(options, targets):
    folder = options.folder / "fleet"
    shutil.rmtree(folder, ignore_errors=True)
    size = 64 if options.short else 320
    with Servers() as servers, Fleet(folder, servers, partitions=2, flush="1s") as fleet:
        fleet.source(stripe_bytes="1MiB").output(partition="h={time:%H}")
        fleet.set(lanes=1)
        fleet.settings["broker"]["job_partitions"] = 24
        for i in range(8):
            make_logs(fleet.inputs / f"{i}.ndjson", size * MEBI // 8, seed=i)
        one = drain_seconds(fleet, 1, 1)
        six = drain_seconds(fleet, 6, 2)
        fleet.assert_each_line_once(1)
        fleet.assert_each_line_once(2)
    table("A backlog with one worker and with six, each throttled to a part of a core",
          ["1 worker, s", "6 workers, s", "ratio"], [[f"{one:.0f}", f"{six:.0f}", f"{six / one:.2f}"]],
          f"{size} MB in 8 files; each worker gets {THROTTLE:.1%} of a core.")
    targets.at_most("fleet: a backlog with 6 workers beside 1", six / one, 0.3)


def bench(options, log, targets):
    os.environ.setdefault("SLUICE_BINARY", str(options.sluice))
    throughput(options, log, targets)
    freshness(options, targets)
    scaling(options, targets)
