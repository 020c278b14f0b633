# SPDX-License-Identifier: Apache-2.0
"""Promise: workers that cannot get at an emitter's files convert them all the same, each line once: the emitter serves ranges
of what it says jobs of, from its descriptors, to who knows the token, and nothing else; when it is away others go on, and
when it is back so do its files."""
import json
import shutil
import time
import urllib.error
import urllib.request

import pytest

import readers
from fleet import Fleet, Process
from pipeline import DENIED, make_logs, sluice, wait_for
from servers import free_port

TOKEN = "a-token-of-this-test-0123456789"
MEBI = 1 << 20


class Node:
    """A machine with files of its own, and the emitter on it."""

    def __init__(self, fleet, name):
        self.fleet, self.name, self.port = fleet, name, free_port()
        self.inputs = fleet.folder / name
        self.inputs.mkdir()
        self.url = f"http://127.0.0.1:{self.port}"

    def config(self, token=TOKEN):
        settings = {**self.fleet.settings, "serve": {"listen": f"127.0.0.1:{self.port}", "url": self.url, "token": token}}
        settings["sources"] = [{"name": "app", "paths": [str(self.inputs / "*.log")], "converter": "raw",
                                "close_after": "1s", "rotated_after": "1s", "stripe_bytes": "1MiB"}]
        path = self.fleet.folder / f"{self.name}.yaml"
        path.write_text(json.dumps(settings))
        return path

    def start(self):
        return start(self.fleet, "emitter", self.config())

    def ask(self, path, token=TOKEN, method="GET", **fields):
        """(status, answer) of a request."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(self.url + path, headers={**headers, **fields}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


def start(fleet, role, config):
    """A process with a configuration of its own."""
    fleet.numbers[role] = fleet.numbers.get(role, 0) + 1
    before, fleet.config_path = fleet.config_path, config
    process = Process(fleet, role, fleet.numbers[role], ())
    fleet.config_path = before
    fleet.processes.append(process)
    return process


@pytest.fixture
def nodes(fleet):
    fleet.output(partition="")
    made = [Node(fleet, name) for name in ("one", "two")]
    elsewhere = Node(fleet, "nowhere")
    sluice("init", elsewhere.config(), check=0)
    fleet.elsewhere = elsewhere.config()
    return made


def jobs_published(process):
    return "jobs" in process.text()


def ids_of(fleet):
    """Ids of files that the ledger knows."""
    done = sluice("status", "--config", fleet.elsewhere, "--json")
    return [f["file"] for f in json.loads(done.stdout).get("files", [])] if done.returncode == 0 else []


def receipts(fleet):
    return [json.loads(fleet.servers.s3.client().get("sluice-test", f"{fleet.prefix}/{key}"))
            for key in fleet.list("_receipts/")]


def test_workers_read_files_of_machines_that_they_cannot_get_at(fleet, nodes):
    one, two = nodes
    contents = {}
    for node in nodes:
        for i, size in enumerate((9 * MEBI, 40_000, 100)):
            make_logs(node.inputs / f"{i}.log", size, seed=hash((node.name, i)) % 1000 + i + 1)
            contents[f"{node.name}{i}"] = (node.inputs / f"{i}.log").read_bytes()
    emitters = [node.start() for node in nodes]
    kept = fleet.folder / "kept"
    kept.mkdir()
    # every file is served: from then on nobody but the emitters has them
    wait_for("files under way", lambda: len(ids_of(fleet)) == 6 or time.sleep(0.3), 60)
    ids = ids_of(fleet)
    wait_for("all of them served", lambda: sum(node.ask(f"/file/{i}", method="HEAD")[0] == 200 for i in ids for node in nodes) == 6
             or time.sleep(0.3), 60)
    for node in nodes:
        for path in list(node.inputs.iterdir()):
            shutil.copy(path, kept / f"{node.name}{path.name}")
            path.unlink()
    served = next(i for i in ids if one.ask(f"/file/{i}", method="HEAD")[0] == 200)
    path = f"/file/{served}"
    assert one.ask(path, Range="bytes=0-9")[0] == 206
    assert one.ask(path, Range="bytes=99999999999-99999999999")[0] == 416
    assert one.ask(path, Range="lines=0-9")[0] == 400
    assert one.ask(path, token=None, Range="bytes=0-9")[0] == 401
    assert one.ask(path, token=TOKEN + "x", Range="bytes=0-9")[0] == 403
    for other in ("/", "/file/", "/metrics", "/file/" + "0" * 32, "/file/../../etc/passwd", f"/file/{one.inputs}/0.log"):
        assert one.ask(other)[0] in (400, 404), other
    assert two.ask(path)[0] == 404
    start(fleet, "worker", fleet.elsewhere)
    start(fleet, "worker", fleet.elsewhere)
    start(fleet, "uploader", fleet.elsewhere)
    wait_for("all receipts", lambda: {r["end"] for r in receipts(fleet)} == {len(c) for c in contents.values()}
             and len(receipts(fleet)) >= 6 or time.sleep(0.5), 120)
    assert all(r["uri"].startswith("file:///") for r in receipts(fleet))
    for process in emitters:
        assert process.alive
    fleet.drain_all()
    readers.assert_each_line_once(fleet.mirror(), sorted(kept.iterdir()))


def test_an_emitter_that_is_away_holds_up_nobody_and_goes_on_when_it_is_back(fleet, nodes):
    one, two = nodes
    make_logs(one.inputs / "a.log", 5 * MEBI, seed=1)
    first = one.start()
    wait_for("the file under way", lambda: ids_of(fleet) or time.sleep(0.3), 60)
    served = ids_of(fleet)[0]
    wait_for("it is served", lambda: one.ask(f"/file/{served}", method="HEAD")[0] == 200 or time.sleep(0.2), 60)
    first.kill()
    worker = start(fleet, "worker", fleet.elsewhere)
    start(fleet, "uploader", fleet.elsewhere)
    make_logs(two.inputs / "b.log", 5 * MEBI, seed=2)
    two.start()
    size = (two.inputs / "b.log").stat().st_size
    wait_for("the other machine's file", lambda: any(r["end"] == size for r in receipts(fleet)) or time.sleep(0.5), 90)
    one.start()
    size = (one.inputs / "a.log").stat().st_size
    wait_for("the file of the one that is back", lambda: any(r["end"] == size for r in receipts(fleet)) or time.sleep(0.5), 90)
    assert worker.alive
    fleet.drain_all()
    readers.assert_each_line_once(fleet.mirror(), [one.inputs / "a.log", two.inputs / "b.log"])


def test_a_wrong_token_is_told_and_sets_nothing_aside(fleet, nodes):
    one, _ = nodes
    make_logs(one.inputs / "a.log", 100_000, seed=1)
    one.start()
    wrong = Node(fleet, "wrong").config(token="another-token-0123456789")
    worker = start(fleet, "worker", wrong)
    start(fleet, "uploader", fleet.elsewhere)
    wait_for("words of it", lambda: "refuses our token (403)" in worker.text() or time.sleep(0.3), 60)
    assert TOKEN not in worker.text() and "another-token" not in worker.text()
    worker.drain()
    start(fleet, "worker", fleet.elsewhere)
    wait_for("the receipt", lambda: receipts(fleet) or time.sleep(0.5), 90)
    fleet.drain_all()
    readers.assert_each_line_once(fleet.mirror(), [one.inputs / "a.log"])
