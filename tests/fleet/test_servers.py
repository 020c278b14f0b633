# SPDX-License-Identifier: Apache-2.0
"""Promise: the servers that all other tests of the fleet stand on are real ones: what they acknowledged survives kill -9,
they come back on the same port, a frozen one says nothing, and none outlives its test."""
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

LIB = Path(__file__).resolve().parents[1] / "lib"
sys.path.insert(0, str(LIB))
from servers import BUCKET, Minio, Redis, Toxiproxy, Versitygw  # noqa: E402


def test_redis_keeps_what_it_acknowledged_through_kill_9():
    with Redis() as redis:
        for n in range(100):
            assert redis.ask("SET", f"k{n}", str(n)) == b"+OK\r\n"
        port = redis.port
        redis.kill()
        with pytest.raises(OSError):
            redis.ask("PING")
        redis.start()
        assert redis.port == port and redis.ask("DBSIZE") == b":100\r\n"


@pytest.mark.parametrize("kind", [Versitygw, Minio])
def test_s3_keeps_objects_checks_signatures_and_puts_if_absent(kind):
    with kind() as s3:
        client = s3.client()
        key, once = "g1/dt=2026-01-01/a b", {"If-None-Match": "*"}
        assert client.request("PUT", f"/{BUCKET}/{key}", body=b"one", headers=once)[0] == 200
        assert client.request("PUT", f"/{BUCKET}/{key}", body=b"two", headers=once)[0] == 412
        s3.kill()
        s3.start()
        assert client.get(BUCKET, key) == b"one" and client.list(BUCKET, "g1/") == {key: 3}
        client.secret = "not it"
        assert client.request("GET", f"/{BUCKET}/{key}")[0] == 403


def test_a_frozen_server_is_silent_and_goes_on():
    with Redis() as redis:
        redis.pause()
        with pytest.raises(TimeoutError):
            with socket.create_connection(("127.0.0.1", redis.port), timeout=5) as waiting:
                waiting.settimeout(0.3)
                waiting.sendall(b"*1\r\n$4\r\nPING\r\n")
                waiting.recv(100)
        redis.resume()
        assert redis.ask("PING") == b"+PONG\r\n"


def test_a_proxy_breaks_and_mends_a_connection():
    with Redis() as redis, Toxiproxy() as toxiproxy:
        behind = Redis.__new__(Redis)  # only to ask through the proxy
        behind.port = toxiproxy.proxy("redis", redis.address)
        assert behind.ask("PING") == b"+PONG\r\n"
        toxiproxy.enable("redis", False)
        with pytest.raises(OSError):
            behind.ask("PING")
        toxiproxy.enable("redis", True)
        toxic = toxiproxy.toxic("redis", "latency", latency=200)
        before = time.monotonic()
        assert behind.ask("PING") == b"+PONG\r\n" and time.monotonic() - before >= 0.2
        toxiproxy.heal("redis", toxic)


def test_the_command_line_tells_a_command_where_they_are_and_ends_them(tmp_path):
    look = ("import os, socket, urllib.request; "
            "urllib.request.urlopen(os.environ['SLUICE_TEST_TOXIPROXY'] + '/version'); "
            "print(os.environ['SLUICE_TEST_TOXIPROXY']); raise SystemExit(7)")
    done = subprocess.run([sys.executable, LIB / "servers.py", "toxiproxy", "--", sys.executable, "-c", look],
                          capture_output=True, text=True, env={**os.environ, "TMPDIR": str(tmp_path)})
    assert done.returncode == 7, done.stderr
    with pytest.raises(OSError):
        urllib.request.urlopen(done.stdout.strip() + "/version", timeout=5)
    assert not list(tmp_path.iterdir())
