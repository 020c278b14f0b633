# SPDX-License-Identifier: Apache-2.0
"""fleet: real servers and a pipeline of several processes on them, run as a user runs it.

    with Servers() as servers, Fleet(folder, servers) as fleet:
        fleet.source(); fleet.init()
        fleet.start("emitter"); fleet.start("worker"); fleet.start("uploader")
        fleet.until_done(); fleet.mirror()   # what is in the bucket, as files

What is in the bucket is read by another client than sluice's, and compared with the input by readers.py.
"""
import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
sys.path.insert(0, str(HERE.parent / "e2e"))
import readers  # noqa: E402
from pipeline import BINARY, BUSY, OK, Pipeline, sluice, wait_for  # noqa: E402,F401
from servers import BUCKET, Minio, Redis, Toxiproxy, Versitygw  # noqa: E402,F401
from servers_kafka import Kafka  # noqa: E402

# A fleet in a test shall decide quickly that somebody is dead.
SESSION_MS = 6000
DONE_SECONDS = 300


class Servers:
    """Kafka, Redis and an S3 server; with `proxied`, each behind a proxy that can cut and slow it."""

    def __init__(self, s3=Versitygw, proxied=False, kafka=Kafka):
        self.kafka, self.redis, self.s3 = kafka(), Redis(), s3()
        self.proxy = Toxiproxy() if proxied else None
        self.running = []
        self.kafka_at, self.redis_at, self.s3_at = self.kafka.address, self.redis.address, self.s3.url
        self.links = ["kafka", "redis", "s3"] if proxied else []

    def start(self, server):
        server.start()
        self.running.append(server)

    def lay_links(self):
        """Clients get to the servers through the proxy only; Kafka tells them the proxy's address as its own."""
        self.kafka_at, self.redis_at, s3_at = (
            f"127.0.0.1:{self.proxy.proxy(name, server.address)}"
            for name, server in (("kafka", self.kafka), ("redis", self.redis), ("s3", self.s3)))
        self.s3_at = f"http://{s3_at}"
        self.kafka.advertised_port = int(self.kafka_at.rsplit(":", 1)[1])
        self.kafka.fixed_port = self.redis.fixed_port = self.s3.fixed_port = True

    def __enter__(self):
        try:
            if self.proxy:
                self.start(self.proxy)
                self.lay_links()
            for server in (self.kafka, self.redis, self.s3):
                self.start(server)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for server in reversed(self.running):
            server.close()

    def by_name(self, name):
        return {"kafka": self.kafka, "redis": self.redis, "s3": self.s3}[name]


class Process:
    """One `sluice ROLE CONFIG` in the background, with a log of its own."""

    def __init__(self, fleet, role, number, arguments):
        self.role, self.name = role, f"{role}-{number}"
        self.log = fleet.folder / f"{self.name}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([BINARY, role, str(fleet.config_path), "--quiet", *arguments],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        self.paused = False

    @property
    def alive(self):
        return self.process.poll() is None

    def text(self):
        return self.log.read_text(errors="replace")

    def signal(self, number):
        if self.alive:
            self.process.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()

    def pause(self):
        self.paused = True
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.paused = False
        self.signal(signal.SIGCONT)

    def drain(self, seconds=60):
        """SIGTERM, and the end that it promises; gives the exit code."""
        self.resume()
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not drain\n{self.text()[-3000:]}") from None


class Fleet(Pipeline):
    def __init__(self, folder, servers, partitions=4, flush="1s"):
        super().__init__(folder)
        self.servers, self.processes, self.numbers = servers, [], {}
        self.prefix = "out/a b=c"  # what a path may hold has to be signed rightly
        self.out = self.folder / "mirror"
        self.settings.update({
            "pipeline": "fleet",
            "broker": {"url": f"kafka://{servers.kafka_at}", "partitions": partitions, "job_partitions": 8,
                       "replication": 1, "cache": str(self.folder / "cache"),
                       "properties": {"session.timeout.ms": SESSION_MS, "heartbeat.interval.ms": 1000}},
            "ledger": {"url": f"redis://{servers.redis_at}"},
            "jobs": {"void_after": "5s"},
            "rescan": "500ms",
        })
        del self.settings["state"]
        self.settings["output"].update({
            "url": f"s3://{BUCKET}/{self.prefix}", "endpoint": servers.s3_at, "region": servers.s3.region,
            "access_key": servers.s3.access, "secret_key": servers.s3.secret, "flush": flush, "object_bytes": "8MiB"})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.signal(signal.SIGCONT)
            process.kill()

    def source(self, name="app", pattern="*.ndjson*", converter="ndjson", time_field="time", **more):
        """Files that are quiet for a second are closed: a fleet watches, it has no --once."""
        more = {"close_after": "1s", "rotated_after": "1s", "stripe_bytes": "2MiB", **more}
        return super().source(name, pattern, converter, time_field, **more)

    # ---- processes

    def init(self, *arguments, check=OK):
        return sluice("init", self.write_config(), *arguments, check=check)

    def start(self, role, *arguments):
        self.numbers[role] = self.numbers.get(role, 0) + 1
        process = Process(self, role, self.numbers[role], arguments)
        self.processes.append(process)
        return process

    def start_all(self, emitters=1, workers=2, uploaders=1):
        self.write_config()
        return [self.start(role) for role, n in (("emitter", emitters), ("worker", workers), ("uploader", uploaders))
                for _ in range(n)]

    def living(self, role=None):
        return [p for p in self.processes if p.alive and role in (None, p.role)]

    def drain_all(self):
        """The order does not matter; each ends with 0, or by a SIGTERM that came before it could take one."""
        for process in self.living():
            process.resume()
            process.signal(signal.SIGTERM)
        for process in self.processes:
            if process.process.poll() is None or process.process.returncode >= 0:
                assert process.drain() in (0, -signal.SIGTERM), f"{process.name}: {process.process.returncode}\n{process.text()[-3000:]}"

    def logs(self, tail=2500):
        return "\n".join(f"==== {p.name} ({'alive' if p.alive else p.process.returncode})\n{p.text()[-tail:]}"
                         for p in self.processes)

    # ---- how far it is

    def status(self):
        done = sluice("status", "--config", self.config_path, "--json")
        return json.loads(done.stdout) if done.returncode == 0 else None

    def receipted(self):
        """Paths of files whose newest receipt says that they are durable to their present end."""
        ends = {}
        for key, size in self.list("_receipts/").items():
            receipt = json.loads(self.servers.s3.client().get(BUCKET, f"{self.prefix}/{key}"))
            if receipt["generation"] == self.settings["generation"]:
                path = urllib.parse.unquote(urllib.parse.urlsplit(receipt["uri"]).path)
                ends[receipt["inode"]] = max(ends.get(receipt["inode"], (0, "")), (receipt["end"], path))
        return ends

    def is_done(self):
        ends = self.receipted()
        for path in self.inputs.iterdir():
            stat = path.stat()
            if ends.get(stat.st_ino, (-1, ""))[0] != stat.st_size:
                return False
        return True

    def until_done(self, seconds=DONE_SECONDS):
        """Until every input file, as it is now, has its receipt."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for process in self.processes:
                code = process.process.poll()
                assert code in (None, 0, -signal.SIGKILL, -signal.SIGTERM), f"{process.name} ended with {code}\n{process.text()[-4000:]}"
            if self.is_done():
                return
            time.sleep(0.3)
        raise AssertionError(f"not done in {seconds} s\n{self.logs()}")

    # ---- what is there

    def list(self, prefix=""):
        """{key: size} below the pipeline's prefix of the bucket."""
        found = self.servers.s3.client().list(BUCKET, f"{self.prefix}/{prefix}")
        return {key[len(self.prefix) + 1:]: size for key, size in found.items()}

    def mirror(self):
        """Everything in the bucket as files below self.out."""
        shutil.rmtree(self.out, ignore_errors=True)
        client = self.servers.s3.client()
        for key in self.list():
            path = self.out / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(client.get(BUCKET, f"{self.prefix}/{key}"))
        return self.out

    def assert_each_line_once(self, generation=None):
        readers.assert_each_line_once(self.mirror(), sorted(self.inputs.iterdir()), generation)

    def assert_audit(self, *arguments):
        """The deep audit agrees; nothing may be on its way any more."""
        done = sluice("audit", "--config", self.config_path, "--deep", *arguments)
        assert done.returncode == OK, f"{done.stdout.decode()[-4000:]}{done.stderr.decode()[-2000:]}"


def group_members(kafka, group):
    """How many consumers are in a group; what the tool says of a group that is not there begins with other words."""
    said = group_tool(kafka, "--describe", "--members", "--group", group)[1]
    return sum(line.startswith(group) for line in said.splitlines())


def group_tool(kafka, *arguments):
    """kafka-consumer-groups, as an operator runs it; gives its exit code and what it said."""
    done = subprocess.run(kafka.java("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
                                     "--bootstrap-server", kafka.address, *arguments),
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
    return done.returncode, done.stdout + done.stderr
