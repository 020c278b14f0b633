# SPDX-License-Identifier: Apache-2.0
"""Promise: whatever becomes of Redis (emptied while a fleet works, emptied while nobody does, set back to an older copy), the
fleet brings the ledger to agree with what is sealed by itself, or `sluice ledger rebuild` does, and every line is there once."""
import shutil

import pytest
from fleet import sluice, wait_for
from pipeline import DENIED, OK, make_logs

MEBI = 1 << 20


def prepare(fleet, files=3, size=3 * MEBI):
    fleet.source().output(partition="h={time:%H}/s={status}")
    for i in range(files):
        make_logs(fleet.inputs / f"{i}.ndjson", size, seed=i, errors=0.001)
    fleet.init()
    return fleet


def grow(fleet, seed, files=3):
    for i in range(files):
        make_logs(fleet.inputs / f"{i}.ndjson", MEBI, seed=seed + i, append=True)
    make_logs(fleet.inputs / f"new-{seed}.ndjson", MEBI, seed=seed + 50)


def sealed(fleet, more_than=0):
    """Waits until there is more sealed than `more_than`; gives how much."""
    return wait_for("seals", lambda: (n := len(fleet.list("_seals/"))) > more_than and n, 120)


def end_well(fleet):
    fleet.until_done()
    fleet.assert_each_line_once()
    fleet.drain_all()
    fleet.assert_audit()


def emptied(fleet):
    assert fleet.servers.redis.ask("FLUSHALL") == b"+OK\r\n"


def recovered(fleet):
    return any("the ledger is recovered" in p.text() for p in fleet.processes if p.role == "uploader")


def test_a_redis_that_is_emptied_under_a_working_fleet_is_recovered_by_two_uploaders_at_once(fleet):
    prepare(fleet)
    fleet.start_all(uploaders=2)
    seals = sealed(fleet)
    for round_ in range(2):
        emptied(fleet)
        grow(fleet, 100 * (round_ + 1))
        seals = sealed(fleet, seals + 1)
    assert all(process.alive for process in fleet.processes), fleet.logs()
    end_well(fleet)
    assert recovered(fleet), fleet.logs()


def test_a_fleet_that_starts_on_an_emptied_redis_recovers_it(fleet):
    prepare(fleet)
    fleet.start_all()
    fleet.until_done()
    fleet.drain_all()
    emptied(fleet)
    grow(fleet, 100)
    fleet.start_all()
    end_well(fleet)
    assert recovered(fleet), fleet.logs()


def test_rebuild_brings_a_ledger_back_from_nothing(fleet):
    prepare(fleet)
    fleet.start_all()
    fleet.until_done()
    fleet.drain_all()
    files = fleet.status()
    said = sluice("ledger", "rebuild", fleet.config_path, check=OK).stdout.decode()
    assert "nothing to do" in said, said
    emptied(fleet)
    assert b"sluice ledger rebuild" in sluice("status", "--config", fleet.config_path).stderr
    said = sluice("ledger", "rebuild", fleet.config_path, check=OK).stdout.decode()
    assert "made anew" in said and "open again at epoch" in said and "chains" in said, said
    assert len(fleet.status()["files"]) == len(files["files"])
    said = sluice("ledger", "rebuild", "--full", fleet.config_path, check=OK).stdout.decode()
    assert "not trusted" in said and "open again at epoch" in said, said
    grow(fleet, 100)
    fleet.start_all()
    end_well(fleet)
    assert not recovered(fleet), "nothing was left to do for the fleet"


def test_rebuild_may_run_beside_a_working_fleet(fleet):
    prepare(fleet)
    fleet.start_all(uploaders=2)
    sealed(fleet)
    for full in ([], ["--full"], ["--full"]):
        sluice("ledger", "rebuild", fleet.config_path, *full, check=OK)
        grow(fleet, 100 + len(fleet.list("_seals/")))
    end_well(fleet)


@pytest.mark.parametrize("uploaders", [1, 2])
def test_a_redis_set_back_to_an_older_copy_is_recovered(fleet, tmp_path, uploaders):
    redis, copy = fleet.servers.redis, tmp_path / "copy"
    prepare(fleet)
    fleet.start_all(uploaders=uploaders)
    seals = sealed(fleet)
    redis.kill()
    shutil.copytree(redis.folder / "appendonlydir", copy)
    redis.start()
    grow(fleet, 100)
    sealed(fleet, seals + 4)  # some are of the epoch that the restart opened
    redis.kill()
    shutil.rmtree(redis.folder / "appendonlydir")
    shutil.copytree(copy, redis.folder / "appendonlydir")
    redis.start()
    grow(fleet, 200)
    end_well(fleet)
    assert recovered(fleet), fleet.logs()


def test_rebuild_refuses_where_there_is_nothing_to_rebuild_from(fleet):
    fleet.source()
    fleet.write_config()
    assert b"nothing was ever written there" in sluice("ledger", "rebuild", fleet.config_path, check=DENIED).stderr
    assert sluice("ledger", "mend", fleet.config_path).returncode == 2
    assert b"--full" in sluice("ledger", "rebuild", "--help", check=OK).stdout


def test_an_emptied_redis_is_recovered_with_all_generations(fleet):
    prepare(fleet, files=2)
    fleet.start_all()
    sealed(fleet, 2)
    for process in fleet.processes:
        process.kill()  # what the first generation converted and did not seal stays in its topic
    fleet.settings["generation"] = 2
    fleet.init()
    fleet.start_all(uploaders=2)
    wait_for("seals of the second generation", lambda: any("/g2/" in key for key in fleet.list("_seals/")), 120)
    emptied(fleet)
    grow(fleet, 100, files=2)
    fleet.until_done()
    fleet.drain_all()
    fleet.assert_each_line_once(generation=2)
    fleet.assert_audit()
    assert recovered(fleet), fleet.logs()


def test_an_emptied_redis_goes_on_from_a_snapshot_that_was_taken_while_everybody_wrote(fleet):
    fleet.settings["ledger"]["snapshot"] = "1s"
    prepare(fleet)
    fleet.start_all(uploaders=2)
    for round_ in range(3):
        before = max((key for key in fleet.list("_ledger/snapshots/") if key.endswith("/index")), default="")
        grow(fleet, 100 * (round_ + 1))
        wait_for("a newer snapshot", lambda: any(
            key > before for key in fleet.list("_ledger/snapshots/") if key.endswith("/index")), 120)
        emptied(fleet)
    end_well(fleet)
    assert any("goes on from a snapshot" in p.text() for p in fleet.processes), fleet.logs()
    assert len([key for key in fleet.list("_ledger/snapshots/") if key.endswith("/index")]) <= 3
