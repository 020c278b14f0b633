# SPDX-License-Identifier: Apache-2.0
"""Promise: what a person or a script gets to read is exact: exit codes as documented, logs that name file, stripe, offset
and attempt, health that says what is missing, and mistakes that are told with what to do."""
import json
import re
import resource
import socket

import pytest

import readers
from pipeline import BROKEN, DENIED, NO, OK, USAGE, make_logs, sluice, wait_for
from test_watch import get, lines

BAD, ABSENT = 65, 66


@pytest.fixture
def done(pipe):
    pipe.file("a.ndjson", lines(0, 10) + b"bad\n")
    pipe.source().run_once()
    return pipe


# What is typed (@ is the configuration), its exit code, and words that it has to say.
MISUSES = [
    (["status"], USAGE, ["--config CONFIG is needed"]),
    (["audit", "--deep"], USAGE, ["--config CONFIG is needed"]),
    (["status", "--config", "nothing.yaml"], DENIED, ["nothing.yaml", "No such file"]),
    (["status", "--config", "@", "nothing.log"], ABSENT, ["nothing.log", "no file of this pipeline"]),
    (["rejects", "--config", "@", "--reason", "bogus"], USAGE, ["bogus", "--help"]),
    (["cat", "--config", "@", "--from", "yesterday"], USAGE, ["yesterday", "2026-11-21T10:00:00Z"]),
    (["cat", "--config", "@", "--where", "status"], USAGE, ["KEY=VALUE"]),
    (["run", "@", "--onec"], USAGE, ["--onec", "--once"]),
    (["run", "@", "--patience", "5m"], USAGE, ["--patience", "--once"]),
    (["convert", "--out", "o", "in"], BAD, ["in is a directory"]),
    (["convert", "--out", "o", "x*.log"], ABSENT, ["x*.log"]),
    (["convert", "--out", "in/a.ndjson", "in/a.ndjson"], DENIED, ["a.ndjson", "Not a directory"]),
    (["convert", "--out", "o", "--level", "high", "in/a.ndjson"], USAGE, ["high"]),
    (["convert", "--out", "o", "--converter", "ndjosn", "in/a.ndjson"], DENIED, ["ndjosn", 'did you mean "ndjson"']),
    (["config", "shema"], USAGE, ["shema", "schema"]),
]


@pytest.mark.parametrize("typed, code, words", MISUSES, ids=lambda v: " ".join(v) if isinstance(v, list) else str(v))
def test_a_mistake_is_told_with_what_to_do(done, typed, code, words):
    before = readers.files_on_disk(done.out)
    told = sluice(*[str(done.config_path) if t == "@" else t for t in typed], check=code, cwd=done.folder)
    for word in words:
        assert word in told.stderr.decode(), told.stderr
    assert not (done.folder / "o").exists() or not readers.files_on_disk(done.folder / "o")
    assert readers.files_on_disk(done.out) == before


def test_another_output_for_the_same_state_is_refused_with_what_to_do(done):
    """The ledger says that lines are durable which that output does not have."""
    done.file("b.ndjson", lines(10, 10))
    done.settings["output"]["url"] = f"file://{done.folder}/elsewhere"
    told = done.run_once(check=BROKEN).stderr.decode()
    assert "output.url" in told and "state" in told
    assert not readers.files_on_disk(done.folder / "elsewhere")


@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_the_log_names_file_stripe_offset_and_attempt(pipe, form):
    path = pipe.inputs / "a.ndjson"
    make_logs(path, 3 << 20)
    pipe.source(stripe_bytes="1MiB").set(log={"level": "debug", "format": form})
    told = pipe.run_once().stderr.decode().splitlines()
    begun = [line for line in told if "attempt begins" in line]
    assert begun
    seen = set()
    for line in begun:
        if form == "json":
            at = json.loads(line)
        else:
            at = dict(re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)', line))
        assert at["file"].strip('"') == f"file://{path}" and re.fullmatch("[0-9a-f]{32}", at["attempt"])
        assert int(at["offset"]) < int(at["to"])
        seen.add(int(at["stripe"]))
    assert seen == set(range(-(-path.stat().st_size // (1 << 20))))


def test_readyz_says_what_is_missing_and_healthz_that_it_lives(pipe):
    """A limit of file sizes strikes the running process as a full disk would, and is lifted again."""
    pipe.source().output(flush="1s").set(http={"listen": "127.0.0.1:0"})
    pipe.file("a.ndjson", lines(0, 10))
    with pipe.start() as running:
        port = wait_for("the port", lambda: re.search(r"listening.*port=(\d+)", running.text())).group(1)
        where = f"127.0.0.1:{port}"
        wait_for("the lines", lambda: sum(o["records"] for o in readers.objects(pipe.out)) == 10)
        wait_for("ready", lambda: get(where, "/readyz")[0] == 200)
        before = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        pipe.file("b.ndjson", lines(10, 10))
        wait_for("trouble", lambda: get(where, "/readyz")[0] == 503)
        assert get(where, "/healthz")[0] == 200
        assert re.search("File too large|limit of file sizes", wait_for(
            "its reason", lambda: (lambda code, text: code == 503 and text)(*get(where, "/readyz"))))
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, before)
        wait_for("ready again", lambda: get(where, "/readyz")[0] == 200)
        wait_for("all lines", lambda: sum(o["records"] for o in readers.objects(pipe.out)) == 20)
        running.drain()
    readers.assert_each_line_once(pipe.out, [pipe.inputs / "a.ndjson", pipe.inputs / "b.ndjson"])


def test_a_port_that_is_taken_is_told(pipe):
    pipe.file("a.ndjson", lines(0, 1))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        pipe.source().set(http={"listen": f"127.0.0.1:{port}"})
        told = pipe.run_once(check=None)
    assert told.returncode not in (OK, NO, USAGE) and str(port).encode() in told.stderr
