# SPDX-License-Identifier: Apache-2.0
"""chaos: a fleet at work while everything is done to it that can be done to a fleet, then the question whether every line is
there once. tools/chaos runs it for as long as one likes, test_chaos.py for some minutes.

Random, from one printed seed: kill -9 of emitters, workers and uploaders; processes frozen for longer than their session;
Kafka, Redis and the S3 server killed and started again; connections cut, slowed and delayed; offsets set back; the number of
workers and uploaders changed; while files grow, are rotated and appear. At the end all is healed, and when every file has its
receipt an independent reader compares the lines.
"""
import argparse
import collections
import heapq
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from fleet import Fleet, Minio, Servers, Versitygw, readers, sluice  # noqa: E402
from pipeline import make_logs  # noqa: E402

KIBI = 1 << 10
ROLES = {"emitter": 2, "worker": 3, "uploader": 2}
# Still there, drained, killed; and ended by a SIGTERM that came before the process could take one.
ENDS = (None, 0, -signal.SIGKILL, -signal.SIGTERM)
FREEZE_SECONDS = (7, 14)  # the sessions of a test fleet end after 6


class Chaos:
    def __init__(self, folder, servers, seed, tell=print):
        self.servers, self.tell = servers, tell
        self.rng = random.Random(seed)
        self.fleet = Fleet(folder, servers, partitions=3, flush="1s")
        self.faults = collections.Counter()
        self.later, self.order = [], 0  # what heals, by time
        self.files = 0
        self.hurt = set()  # servers and links that are not well at the moment
        self.actions = [
            (10, self.grow), (4, self.rotate), (3, self.appear),
            (6, self.kill_process), (4, self.freeze_process), (2, self.drain_process), (2, self.scale),
            (1, lambda: self.kill_server("kafka")), (2, lambda: self.kill_server("redis")),
            (2, lambda: self.kill_server("s3")),
            (3, self.cut_link), (3, self.slow_link), (1, self.reset_jobs), (1, self.reset_blocks)]

    # ---- time

    def after(self, seconds, function):
        self.order += 1
        heapq.heappush(self.later, (time.monotonic() + seconds, self.order, function))

    def heal_due(self, everything=False):
        while self.later and (everything or self.later[0][0] <= time.monotonic()):
            heapq.heappop(self.later)[2]()

    # ---- input

    def log(self):
        return self.fleet.inputs / "app.ndjson"

    def grow(self):
        make_logs(self.log(), self.rng.randrange(1, 600 * KIBI), seed=self.rng.getrandbits(32), errors=0.002,
                  append=True)

    def rotate(self):
        if self.log().exists():
            self.files += 1
            self.log().rename(self.fleet.inputs / f"app.ndjson.{self.files}")
            self.faults["rotations"] += 1

    def appear(self):
        self.files += 1
        make_logs(self.fleet.inputs / f"job-{self.files}.ndjson", self.rng.randrange(1, 3000 * KIBI),
                  seed=self.rng.getrandbits(32))

    # ---- processes

    def some_process(self):
        living = [p for p in self.fleet.living() if not p.paused]
        return self.rng.choice(living) if living else None

    def start_again(self, role):
        self.fleet.start(role)

    def kill_process(self):
        process = self.some_process()
        if process:
            process.kill()
            self.faults[f"kill -9 {process.role}"] += 1
            self.after(self.rng.uniform(0, 4), lambda: self.start_again(process.role))

    def freeze_process(self):
        process = self.some_process()
        if process and len([p for p in self.fleet.living() if p.paused]) < 3:
            process.pause()
            self.faults[f"frozen {process.role}"] += 1
            self.after(self.rng.uniform(*FREEZE_SECONDS), process.resume)

    def drain_process(self):
        process = self.some_process()
        if process and not self.hurt:
            code = process.drain()
            assert code in ENDS, f"{process.name} drained with {code}\n{process.text()[-3000:]}"
            self.faults[f"drained {process.role}"] += 1
            self.start_again(process.role)

    def scale(self):
        """One more worker or uploader for a while."""
        role = self.rng.choice(["worker", "uploader"])
        if len(self.fleet.living(role)) < 5:
            extra = self.fleet.start(role)
            self.faults[f"one more {role}"] += 1
            self.after(self.rng.uniform(5, 20), extra.kill)

    # ---- servers

    def kill_server(self, name):
        if name in self.hurt:
            return
        server = self.servers.by_name(name)
        server.kill()
        self.hurt.add(name)
        self.faults[f"kill -9 {name}"] += 1

        def again():
            server.start()
            self.hurt.discard(name)
        self.after(self.rng.uniform(0.2, 4), again)

    def cut_link(self):
        name = self.rng.choice(self.servers.links)
        if f"link {name}" in self.hurt:
            return
        self.hurt.add(f"link {name}")
        self.servers.proxy.enable(name, False)
        self.faults[f"cut {name}"] += 1

        def again():
            self.servers.proxy.enable(name, True)
            self.hurt.discard(f"link {name}")
        self.after(self.rng.uniform(0.2, 5), again)

    def slow_link(self):
        name = self.rng.choice(self.servers.links)
        if f"link {name}" in self.hurt:
            return
        kind, how = self.rng.choice([("latency", {"latency": 300, "jitter": 200}), ("bandwidth", {"rate": 200}),
                                     ("limit_data", {"bytes": self.rng.randrange(1000, 300000)}),
                                     ("reset_peer", {"timeout": self.rng.randrange(10, 1500)})])
        self.hurt.add(f"link {name}")
        toxic = self.servers.proxy.toxic(name, kind, self.rng.choice(["upstream", "downstream"]), **how)
        self.faults[f"{kind} {name}"] += 1

        def again():
            self.servers.proxy.heal(name, toxic)
            self.hurt.discard(f"link {name}")
        self.after(self.rng.uniform(2, 8), again)

    # ---- offsets

    def reset(self, role, what):
        """With that part of the fleet stopped, as an operator has to; the group may need its session to see it."""
        if self.hurt:
            return
        stopped = [p for p in self.fleet.living(role)]
        for process in stopped:
            process.resume()
            process.drain()
        words = [what]
        done = sluice("replay", self.fleet.config_path, *words)
        for _ in range(20):
            if done.returncode == 0:
                break
            time.sleep(1)  # a member that was killed is in its group until its session ends
            done = sluice("replay", self.fleet.config_path, *words)
        assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
        self.faults[f"offsets reset {what[2:]}"] += 1
        for _ in stopped or [None]:
            self.start_again(role)

    def reset_jobs(self):
        self.reset("worker", "--jobs")

    def reset_blocks(self):
        self.reset("uploader", "--blocks")

    # ---- the whole

    def check_alive(self):
        for process in self.fleet.processes:
            code = process.process.poll()
            if code not in ENDS:
                raise AssertionError(f"{process.name} ended by itself with {code}\n{process.text()[-4000:]}")

    def run(self, seconds):
        fleet = self.fleet
        fleet.source().output(partition="h={time:%H}/s={status}")
        fleet.init()
        for role, n in ROLES.items():
            for _ in range(n):
                fleet.start(role)
        weights, actions = zip(*self.actions)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.heal_due()
            self.check_alive()
            self.rng.choices(actions, weights)[0]()
            time.sleep(self.rng.uniform(0.05, 0.7))
        self.heal_due(everything=True)
        for process in fleet.living():
            process.resume()
        for role in ROLES:
            if not fleet.living(role):
                fleet.start(role)
        fleet.until_done()

    def check(self):
        self.fleet.drain_all()
        out, paths = self.fleet.mirror(), sorted(self.fleet.inputs.iterdir())
        expected, found = readers.Counter(), readers.Counter()
        for path in paths:
            expected += readers.multiset(readers.input_lines(path))
        found += readers.multiset(line for _, line in readers.records(out))
        found += readers.multiset(r["bytes"] for r in readers.rejects(out))
        lost, double = (expected - found).total(), (found - expected).total()
        self.tell(f"lines {expected.total()}, lost {lost}, double {double}")
        self.tell("faults: " + ", ".join(f"{name} {n}" for name, n in sorted(self.faults.items())))
        assert not lost and not double, readers.explain(
            expected, found, (x for p in paths for x in readers.input_lines(p)))
        self.fleet.assert_audit()


def run(seed, seconds, kind, tell=print):
    tell(f"seed {seed}, {seconds:.0f} s, {kind.name}")
    with tempfile.TemporaryDirectory(prefix="sluice-chaos-") as folder, Servers(kind, proxied=True) as servers:
        chaos = Chaos(folder, servers, seed, tell)
        with chaos.fleet:
            try:
                chaos.run(seconds)
                chaos.check()
            except BaseException:
                tell("faults: " + ", ".join(f"{name} {n}" for name, n in sorted(chaos.faults.items())))
                tell(chaos.fleet.logs())
                raise


def main():
    parser = argparse.ArgumentParser(prog="tools/chaos", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--s3", choices=("versitygw", "minio"), default="versitygw")
    options = parser.parse_args()
    try:
        run(options.seed, options.minutes * 60, Versitygw if options.s3 == "versitygw" else Minio)
    except AssertionError as error:
        print(f"FAILED (seed {options.seed}): {error}")
        return 1
    print("every line is there once")
    return 0


if __name__ == "__main__":
    sys.exit(main())
