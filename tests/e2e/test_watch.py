# SPDX-License-Identifier: Apache-2.0
"""Promise: without --once sluice watches: new lines become objects by age or on SIGHUP, SIGTERM drains, and it tells
over HTTP how it is."""
import json
import re
import signal
import time
import urllib.error
import urllib.request

import pytest

import readers
from pipeline import make_logs, wait_for

LINE = b'{"time":"2026-01-01T00:00:00Z","n":%d}\n'


def lines(first, count):
    return b"".join(LINE % i for i in range(first, first + count))


def listed_records(pipe):
    return sum(o["records"] for o in readers.objects(pipe.out))


def test_sigterm_drains_everything_that_is_there(pipe):
    path = pipe.inputs / "a.ndjson"
    made = make_logs(path, 10 << 20, errors=0.001)
    pipe.source()
    with pipe.start() as running:
        wait_for("work under way", lambda: any(pipe.state.rglob("*")) if pipe.state.exists() else False)
        running.drain()
    pipe.run_once()
    readers.assert_each_line_once(pipe.out, [path])
    assert made["bad"] == len(readers.rejects(pipe.out))


def test_sigint_drains_too(pipe):
    pipe.file("a.ndjson", lines(0, 10))
    pipe.source().output(flush="1s")
    with pipe.start() as running:
        wait_for("the lines", lambda: listed_records(pipe) == 10)
        running.signal(signal.SIGINT)
        assert running.process.wait(timeout=60) == 0


def test_sighup_seals_and_uploads_at_once(pipe):
    """The batch would be an hour away: only the signal can bring it."""
    pipe.file("a.ndjson", lines(0, 10))
    pipe.source().output(flush="1h")
    with pipe.start() as running:
        wait_for("its start", lambda: pipe.state.exists() and any(pipe.state.iterdir()))

        def seal_until(count):
            def sealed():
                running.seal()  # again and again: the lines may not be converted yet
                time.sleep(0.2)
                return listed_records(pipe) == count
            wait_for(f"{count} records", sealed)
        seal_until(10)
        pipe.file("a.ndjson", lines(10, 10), append=True)
        seal_until(20)
        running.drain()
    readers.assert_each_line_once(pipe.out, [pipe.inputs / "a.ndjson"])


def test_the_age_of_a_batch_seals_it(pipe):
    pipe.file("a.ndjson", lines(0, 10))
    pipe.source().output(flush="1s")
    with pipe.start() as running:
        wait_for("the lines", lambda: listed_records(pipe) == 10)
        running.drain()


def test_a_file_that_is_finished_while_watching_gets_its_receipt(pipe):
    path = pipe.file("a.ndjson", lines(0, 10))
    pipe.source(close_after="1s", rotated_after="1s").output(flush="1s").set(rescan="1s")
    with pipe.start() as running:
        wait_for("the receipt", lambda: list(pipe.out.glob("_receipts/g1/*.json")))
        running.drain()
    receipt = json.loads(next(pipe.out.glob("_receipts/g1/*.json")).read_bytes())
    assert receipt["end"] == path.stat().st_size and receipt["converted"] == 10


def test_after_durable_leaves_a_file_that_is_only_idle_and_takes_one_that_was_rotated(pipe):
    """An idle file may grow any time; a rotated one, when its receipt is written, will not."""
    path = pipe.file("a.ndjson", lines(0, 10))
    rotated = pipe.inputs / "a.ndjson.1"
    pipe.source(close_after="1s", rotated_after="1s", after_durable="delete").output(flush="1s").set(rescan="1s")
    with pipe.start() as running:
        wait_for("the receipt", lambda: list(pipe.out.glob("_receipts/g1/*.json")))
        path.rename(rotated)
        pipe.file("b.ndjson", lines(10, 10))
        wait_for("the rotated file to go", lambda: not rotated.exists())
        wait_for("the other receipt", lambda: len(list(pipe.out.glob("_receipts/g1/*.json"))) == 2)
        running.drain()
    assert (pipe.inputs / "b.ndjson").exists(), "it was only idle"
    assert running.text().count("input deleted") == 1
    assert sorted(readers.lines(pipe.out)) == sorted(lines(0, 20).splitlines())


@pytest.fixture
def address(pipe):
    """A pipeline with HTTP on a port that the kernel picks; the log tells which."""
    pipe.source().output(flush="1s").set(http={"listen": "127.0.0.1:0"})

    def find(running):
        port = wait_for("the port in the log", lambda: re.search(r"listening.*port=(\d+)", running.text())).group(1)
        return f"127.0.0.1:{port}"
    return find


def get(address, path):
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_metrics_and_health_are_told_over_http(pipe, address):
    pipe.file("a.ndjson", lines(0, 10) + b"bad\n")
    with pipe.start() as running:
        where = address(running)
        assert get(where, "/healthz")[0] == 200
        wait_for("ready", lambda: get(where, "/readyz")[0] == 200)
        wait_for("the lines", lambda: listed_records(pipe) == 10)
        status, text = get(where, "/metrics")
        assert status == 200
        for line in text.splitlines():
            assert line.startswith("#") or re.fullmatch(
                r'[a-zA-Z_:][\w:]*(\{[^}]*\})? (-?[\d.]+([eE][+-]?\d+)?|\+Inf|NaN)', line), line
        values = {l.rsplit(" ", 1)[0]: float(l.rsplit(" ", 1)[1]) for l in text.splitlines() if not l.startswith("#")}
        assert any("reject" in name and value == 1 for name, value in values.items()), text
        assert any(value in (10, 11) for name, value in values.items() if "lines" in name or "records" in name), text
        assert get(where, "/nothing")[0] == 404
        running.drain()


def test_hostile_http_requests_do_not_stop_it(pipe, address):
    import socket
    with pipe.start() as running:
        host, port = address(running).split(":")
        for request in (b"\0" * 1000, b"GET " + b"/" * 100000 + b" HTTP/1.1\r\n\r\n", b"POST /metrics HTTP/1.1\r\n"
                        b"Content-Length: 99999999999999999999\r\n\r\n", b"GET /../../etc/passwd HTTP/1.1\r\n\r\n"):
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                try:
                    connection.sendall(request)
                    connection.shutdown(socket.SHUT_WR)
                    answer = connection.recv(65536)
                except OSError:
                    answer = b""
                assert b"root:" not in answer
        assert get(f"{host}:{port}", "/healthz")[0] == 200
        running.drain()


@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_every_log_line_is_whole_and_of_the_chosen_format(pipe, form):
    pipe.file("a.ndjson", lines(0, 10) + b'bad "quoted" \xff\n')
    pipe.source().output(flush="1s").set(log={"level": "debug", "format": form})
    with pipe.start() as running:
        wait_for("the lines", lambda: listed_records(pipe) == 10)
        running.drain()
        told = running.text().splitlines()
    assert told
    for line in told:
        if form == "json":
            assert isinstance(json.loads(line), dict), line
        else:
            assert re.fullmatch(r'(\w+=("([^"\\]|\\.)*"|[^ "]*) ?)+', line), line
