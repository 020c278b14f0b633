# SPDX-License-Identifier: Apache-2.0
"""Promise: a webhook hears of every receipt at least once, signed, also when it was away and when sluice was killed; and
nobody's work waits for it."""
import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from pipeline import wait_for

SECRET = b"between us"


class Hook(HTTPServer):
    """Refuses the first `refuse` requests."""

    def __init__(self, refuse=0):
        super().__init__(("127.0.0.1", 0), Handler)
        self.refuse, self.heard, self.asked = refuse, [], 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/receipts"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked += 1
        if self.server.asked <= self.server.refuse:
            self.send_response(503)
        else:
            self.server.heard.append((dict(self.headers), body))
            self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def hooked(pipe, hook):
    (pipe.folder / "secret").write_bytes(SECRET + b"\n")
    pipe.source(time_field=None).output(partition="")
    pipe.set(events={"webhook": {"url": hook.url, "secret": "@"}})
    pipe.write_config(json.dumps(pipe.settings).replace("$", "$$").replace('"@"', f'"${{file:{pipe.folder}/secret}}"'))
    return pipe


def run(pipe, *arguments):
    from pipeline import sluice
    return sluice("run", pipe.config_path, *arguments, check=0)


def test_every_receipt_is_told_and_signed(pipe):
    hook = Hook(refuse=2)
    hooked(pipe, hook)
    for i in range(20):
        pipe.file(f"{i}.ndjson", b'{"a":1}\n' * (i + 1))
    run(pipe, "--once")
    told = {}
    for headers, body in hook.heard:
        mac = hmac.new(SECRET, headers["X-Sluice-Timestamp"].encode() + b"." + body, hashlib.sha256).hexdigest()
        assert headers["X-Sluice-Signature"] == f"sha256={mac}"
        assert (pipe.out / headers["X-Sluice-Delivery"]).read_bytes() == body
        told[headers["X-Sluice-Delivery"]] = json.loads(body)["lines"]
    assert sorted(told.values()) == list(range(1, 21))
    asked = hook.asked
    run(pipe, "--once")
    assert hook.asked == asked, "a receipt that was told is not told again"


def test_work_goes_on_while_nobody_listens_and_the_receipt_is_told_later(pipe):
    hook = Hook(refuse=10**9)
    hooked(pipe, hook)
    pipe.settings["sources"][0]["close_after"] = "100ms"
    pipe.settings["rescan"] = "100ms"
    pipe.settings["output"]["flush"] = "100ms"
    hooked_config = json.dumps(pipe.settings).replace("$", "$$").replace('"@"', f'"${{file:{pipe.folder}/secret}}"')
    pipe.write_config = lambda text=None: pipe.config_path.write_text(hooked_config) and pipe.config_path
    pipe.file("a.ndjson", b'{"a":1}\n')
    with pipe.start("--quiet") as running:
        wait_for("the hook to be asked", lambda: hook.asked)
        pipe.file("b.ndjson", b'{"a":2}\n')
        wait_for("the second file in an object", lambda: len(list(pipe.out.glob("_manifests/**/*.json"))) >= 2)
        running.kill()
    assert not hook.heard
    hook.refuse = 0
    run(pipe, "--once")
    assert len({headers["X-Sluice-Delivery"] for headers, _ in hook.heard}) == 2
