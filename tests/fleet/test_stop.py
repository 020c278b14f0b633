# SPDX-License-Identifier: Apache-2.0
"""Promise: SIGTERM ends a process of a fleet within what `drain` says, whichever server does not answer, while it
works and while it starts; and a process needs only what its role needs."""
import time

import pytest
from fleet import wait_for
from pipeline import make_logs

DRAIN, MORE = 3, 12  # seconds; DEADLINE_GRACE_MS and what a busy machine adds
MEBI = 1 << 20


@pytest.mark.parametrize("frozen", ["kafka", "redis", "s3"])
def test_sigterm_ends_in_time_while_a_server_is_frozen(fleet, frozen):
    fleet.set(drain=f"{DRAIN}s", lanes=4)
    fleet.source().init()
    make_logs(fleet.inputs / "0.ndjson", 3 * MEBI, seed=1)
    working = fleet.start_all(workers=1)
    fleet.until_done()
    server = fleet.servers.by_name(frozen)
    server.pause()
    try:
        make_logs(fleet.inputs / "1.ndjson", 3 * MEBI, seed=2)
        starting = [fleet.start(role) for role in ("emitter", "worker", "uploader")]
        time.sleep(2)  # each is in some call by now; which one does not matter
        for process in working + starting:
            process.signal(15)
        for process in working + starting:
            assert process.drain(DRAIN + MORE) == 0, process.text()[-2000:]
    finally:
        server.resume()
    fleet.start_all(workers=1)
    fleet.until_done()
    fleet.assert_each_line_once()
    fleet.drain_all()
    fleet.assert_audit()


def test_only_uploaders_need_the_cache(fleet):
    fleet.source().init()
    make_logs(fleet.inputs / "0.ndjson", MEBI, seed=1)
    cache = fleet.settings["broker"]["cache"]
    fleet.settings["broker"]["cache"] = "/proc/no/such/folder"
    fleet.write_config()
    refused = fleet.start("uploader")
    wait_for("an uploader without a cache to end", lambda: not refused.alive)
    assert refused.process.returncode == 78 and "broker.cache" in refused.text(), refused.text()
    fleet.processes.remove(refused)
    fleet.start("emitter"), fleet.start("worker")
    time.sleep(2)
    fleet.settings["broker"]["cache"] = cache
    fleet.write_config()
    fleet.start("uploader")
    fleet.until_done()
    fleet.drain_all()
