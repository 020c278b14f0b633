# SPDX-License-Identifier: Apache-2.0
"""servers: the real servers that the fleet's tests run against, each a class; `tools/setup --servers` installs them.

Each runs on a free port of 127.0.0.1 with its data in a folder of its own, is ready when start() returns, can be killed,
frozen and started again on the same port and data, and ends with the block that began it:

    with Redis() as redis, Versitygw() as s3:
        redis.kill(); redis.start(); s3.pause(); s3.resume()

A server dies with the thread that started it, so that a killed test leaves nothing: start them in the main thread.

    python tests/lib/servers.py redis versitygw -- COMMAND…   (or `all`)

starts them, runs COMMAND with environment() of each, and ends with its exit code.
"""
import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import s3_client  # noqa: E402

HERE = Path(__file__).resolve().parent
READY_SECONDS = 90  # of a machine that does much else; a server that is not ready by then is broken
STOP_SECONDS = 15
# Below the ports that the kernel gives to clients: a client that retries a port of that range while its server is down
# may be given that very port, and so keep the server from starting again.
PORTS = range(10000, 32000)
LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1
BUCKET = "sluice-test"


def cache_folder():
    base = os.environ.get("SLUICE_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sluice"
    return Path(base) / "servers"


def installed(name):
    """The program of a server that servers.txt lists."""
    for row in (HERE / "servers.txt").read_text().splitlines():
        if row.startswith(f"go {name} "):
            return cache_folder() / f"{name}-{row.split()[3]}" / name
    raise KeyError(name)


def free_port():
    for _ in range(1000):
        port = random.SystemRandom().choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no port of 127.0.0.1 is free")


def http_ok(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


class Server:
    """One process. A class below says `name`, command(), ready() and environment()."""

    name = ""

    def __init__(self, folder=None, port=None, arguments=()):
        self.own_folder = folder is None
        self.folder = Path(folder or tempfile.mkdtemp(prefix=f"sluice-{self.name}-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.fixed_port = port is not None
        self.port = port or free_port()
        self.arguments = [str(a) for a in arguments]
        self.process = None
        self.started = False

    def command(self):
        raise NotImplementedError

    def ready(self):
        """Whether it answers, asked again and again while it starts."""
        raise NotImplementedError

    def environment(self):
        """What a command that is to use it finds in its environment."""
        return {}

    def settings(self):
        """What the process itself finds in its environment beside ours."""
        return {}

    def prepare(self):
        """Before the first start."""

    def made_ready(self):
        """Behind the first start, when it answers."""

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def log(self):
        return self.folder / "server.log"

    def spawn(self):
        program = str(self.command()[0])
        if shutil.which(program) is None:
            raise RuntimeError(f"{self.name}: {program} is not there; tools/setup --servers installs it")
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [str(c) for c in self.command()] + self.arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env={**os.environ, **self.settings()}, cwd=self.folder, start_new_session=True,
                preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))

    def wait_ready(self):
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                return False
            if self.ready():
                return True
            time.sleep(0.02)
        return False

    def start(self):
        """Starts it, on the data and the port it had; returns when it is ready."""
        first = not self.started
        if first:
            self.prepare()
        for _ in range(5 if first and not self.fixed_port else 1):
            self.spawn()
            if self.wait_ready():
                break
            died = self.process.poll() is not None
            self.kill()
            if not died:
                break
            if first and not self.fixed_port:
                self.port = free_port()  # somebody may have been quicker
        if self.process is None:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
            raise RuntimeError(f"{self.name} is not ready on {self.address}:\n{tail}")
        self.started = True
        if first:
            self.made_ready()
        return self

    def kill(self):
        """kill -9: nothing is said, nothing is written any more."""
        self.end(signal.SIGKILL)

    def stop(self):
        """Asks it to end, and makes it."""
        self.end(signal.SIGTERM)

    def end(self, number):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGCONT)  # a frozen one does not die of a SIGTERM
        self.process.send_signal(number)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def pause(self):
        """Freezes it: connections stay, nothing answers."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def close(self):
        self.stop()
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()


class Redis(Server):
    """Redis with its log synced at every write: what it acknowledged survives kill -9."""

    name = "redis"

    def command(self):
        return [cache_folder() / "redis" / "redis-server", "--bind", "127.0.0.1", "--port", self.port,
                "--dir", self.folder, "--daemonize", "no", "--save", "", "--appendonly", "yes",
                "--appendfsync", "always", "--protected-mode", "yes", "--repl-diskless-sync-delay", "0"]

    def ask(self, *words):
        """Sends one command and gives the first bytes of the raw answer."""
        request = f"*{len(words)}\r\n" + "".join(f"${len(w.encode())}\r\n{w}\r\n" for w in words)
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(request.encode())
            return connection.recv(65536)

    def ready(self):
        try:
            return self.ask("PING") == b"+PONG\r\n"
        except OSError:
            return False

    def environment(self):
        return {"SLUICE_TEST_REDIS": f"redis://{self.address}",
                "SLUICE_TEST_REDIS_SERVER": str(cache_folder() / "redis" / "redis-server")}


class S3(Server):
    """What both S3 servers have in common: the credentials, and a bucket that is there from the start."""

    region = "us-east-1"
    access, secret = "sluiceaccess", "sluicesecret123"
    scheme = "http"
    domain = "localhost"  # a bucket may stand before it: libcurl takes every name below it for this machine

    @property
    def url(self):
        return f"{self.scheme}://{self.address}"

    @property
    def host_url(self):
        """For requests whose bucket is in the name of the host."""
        return f"{self.scheme}://{self.domain}:{self.port}"

    @property
    def objects(self):
        return self.folder / "objects"

    def prepare(self):
        self.objects.mkdir(parents=True, exist_ok=True)

    def client(self):
        return s3_client.Client(self.url, self.access, self.secret, self.region)

    def made_ready(self):
        self.client().make_bucket(BUCKET)

    def environment(self):
        return {"SLUICE_TEST_S3": self.url, f"SLUICE_TEST_{self.name.upper()}": self.url,
                f"SLUICE_TEST_{self.name.upper()}_HOST": self.host_url,
                "SLUICE_TEST_S3_BUCKET": BUCKET, "SLUICE_TEST_S3_ACCESS": self.access,
                "SLUICE_TEST_S3_SECRET": self.secret, "SLUICE_TEST_S3_REGION": self.region}


class Versitygw(S3):
    """Objects are files below `objects`; metadata are extended attributes, or files beside where there are none."""

    name = "versitygw"

    def sidecar(self):
        try:
            os.setxattr(self.objects, "user.sluice", b"1")
            return []
        except OSError:
            (self.folder / "sidecar").mkdir(exist_ok=True)
            return ["--sidecar", self.folder / "sidecar"]

    def command(self):
        return [installed("versitygw"), "--port", self.address, "--region", self.region, "--access", self.access,
                "--secret", self.secret, "--virtual-domain", self.virtual_domain, "--quiet", "--keep-alive", "--health", "/_health", *self.arguments_before(),
                "posix", *self.sidecar(), self.objects]

    @property
    def virtual_domain(self):
        """With the port: it is compared with the Host of a request as it comes."""
        return f"{self.domain}:{self.port}"

    def arguments_before(self):
        return []

    def ready(self):
        return http_ok(f"{self.url}/_health")


class Minio(S3):
    """The other one, with another idea of what an upload is."""

    name = "minio"

    def settings(self):
        return {"MINIO_ROOT_USER": self.access, "MINIO_ROOT_PASSWORD": self.secret, "MINIO_BROWSER": "off",
                "MINIO_UPDATE": "off", "MINIO_DOMAIN": self.domain, "MINIO_CALLHOME_ENABLE": "off", "MINIO_SITE_REGION": self.region,
                "HOME": str(self.folder)}

    def command(self):
        return [installed("minio"), "server", "--quiet", "--address", self.address, self.objects]

    def ready(self):
        """It says so before it has its own settings, and then refuses every request."""
        return http_ok(f"{self.url}/minio/health/ready") and self.client().request("GET", "/")[0] == 200


class Toxiproxy(Server):
    """Proxies in front of the others that cut, slow and delay; made and broken by its HTTP interface, as below."""

    name = "toxiproxy"

    def command(self):
        return [installed("toxiproxy"), "-host", "127.0.0.1", "-port", self.port]

    def ready(self):
        return http_ok(f"http://{self.address}/version")

    def environment(self):
        return {"SLUICE_TEST_TOXIPROXY": f"http://{self.address}"}

    def call(self, method, path, value=None):
        body = None if value is None else s3_client.json_bytes(value)
        request = urllib.request.Request(f"http://{self.address}{path}", body, {"Content-Type": "application/json"},
                                         method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def proxy(self, name, upstream):
        """A new proxy in front of `upstream` (host:port); gives the port of 127.0.0.1 that it listens on."""
        port = free_port()
        self.call("POST", "/proxies", {"name": name, "listen": f"127.0.0.1:{port}", "upstream": upstream})
        return port

    def enable(self, name, enabled):
        """Down: connections are cut and refused. Up again."""
        self.call("POST", f"/proxies/{name}", {"enabled": enabled})

    def toxic(self, proxy, kind, stream="downstream", **attributes):
        """latency(latency=ms), bandwidth(rate=KB/s), timeout(timeout=ms), limit_data(bytes=n), reset_peer(timeout=ms)"""
        name = f"{kind}-{stream}"
        self.call("POST", f"/proxies/{proxy}/toxics",
                  {"name": name, "type": kind, "stream": stream, "attributes": attributes})
        return name

    def heal(self, proxy, toxic):
        self.call("DELETE", f"/proxies/{proxy}/toxics/{toxic}")


# What the command line knows, in the order in which `all` starts them. Kafka's class is in servers_kafka.py.
SERVERS = {c.name: c for c in (Redis, Versitygw, Minio, Toxiproxy)}
if (HERE / "servers_kafka.py").exists():
    sys.modules.setdefault("servers", sys.modules[__name__])  # it imports us by this name
    from servers_kafka import Kafka  # noqa: E402

    SERVERS = {Kafka.name: Kafka, **SERVERS}


def main(words):
    if "--" not in words or not words[words.index("--") + 1:]:
        sys.exit(f"use: servers.py {{all|{'|'.join(SERVERS)}}}… -- COMMAND…")
    split = words.index("--")
    names = list(SERVERS) if words[:split] == ["all"] else words[:split]
    unknown = [n for n in names if n not in SERVERS]
    if unknown:
        sys.exit(f"no server {unknown[0]}; there are: {' '.join(SERVERS)}")
    # A SIGTERM ends the servers too: it becomes the exception that leaves the block.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    running, found = [], {}
    try:
        for name in names:
            server = SERVERS[name]()
            running.append(server)
            server.start()
            found = {**server.environment(), **found}  # of two S3 servers the first is SLUICE_TEST_S3
        return subprocess.run(words[split + 1:], env={**os.environ, **found}).returncode
    finally:
        for server in reversed(running):
            server.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
