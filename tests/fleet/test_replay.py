# SPDX-License-Identifier: Apache-2.0
"""Promise: setting offsets back changes nothing by itself, whichever topic, whoever does it; what is missing in the bucket is
made again while the blocks are still there; a raised generation converts everything anew beside the old one."""
import readers
from fleet import BUCKET, group_members, group_tool, sluice, wait_for
from pipeline import DENIED, OK, make_logs

MEBI = 1 << 20


def settled(fleet, keep="0s"):
    """A fleet that has converted three files and was drained."""
    fleet.settings["broker"]["keep"] = keep
    fleet.source().output(partition="h={time:%H}")
    for i in range(3):
        make_logs(fleet.inputs / f"{i}.ndjson", 2 * MEBI, seed=i)
    fleet.init()
    fleet.start_all()
    fleet.until_done()
    fleet.drain_all()
    return fleet.list()


def replay(fleet, *words):
    """The groups' members have left when they were drained, but the broker may need a moment to see it."""
    wait_for(f"replay {words}", lambda: sluice("replay", fleet.config_path, *words).returncode == 0, 30)


def quiet(fleet):
    """The fleet looked at everything again: the groups have no lag left."""
    def no_lag():
        rows = [line.split() for group in ("workers.g1", "uploaders")
                for line in group_tool(fleet.servers.kafka, "--describe", "--group", f"fleet.{group}")[1].splitlines()
                if line.startswith("fleet.")]
        return rows and all(row[5] in ("0", "-") for row in rows)
    wait_for("no lag", no_lag, 90)


def test_resetting_jobs_changes_nothing(fleet):
    before = settled(fleet)
    replay(fleet, "--jobs")
    fleet.start_all()
    quiet(fleet)
    fleet.drain_all()
    assert fleet.list() == before
    fleet.assert_each_line_once()
    fleet.assert_audit()


def test_resetting_with_kafkas_own_tool_to_any_offset_changes_nothing(fleet):
    before = settled(fleet)
    for what in (["--topic", "fleet.jobs", "--group", "fleet.workers.g1"],
                 ["--topic", "fleet.blocks.g1", "--group", "fleet.uploaders"]):
        for where in (["--to-earliest"], ["--to-latest"], ["--shift-by", "-2"]):
            def reset():
                code, said = group_tool(fleet.servers.kafka, "--reset-offsets", "--execute", *what, *where)
                return code == 0 and "Error" not in said
            wait_for(f"{what} {where}", reset, 30)
            fleet.start_all()
            quiet(fleet)
            fleet.drain_all()
            assert fleet.list() == before, (what, where)
    fleet.assert_each_line_once()
    fleet.assert_audit()


def test_an_object_that_is_missing_is_made_again_from_the_blocks(fleet):
    settled(fleet, keep="1h")
    client, objects = fleet.servers.s3.client(), [k for k in fleet.list("g1/")]
    before = {key: client.get(BUCKET, f"{fleet.prefix}/{key}") for key in objects}
    for key in objects[::3]:
        client.delete(BUCKET, f"{fleet.prefix}/{key}")
    assert sluice("audit", "--config", fleet.config_path).returncode == 1
    replay(fleet, "--blocks")
    fleet.start("uploader")
    wait_for("the objects", lambda: set(fleet.list("g1/")) == set(objects), 60)
    fleet.drain_all()
    assert {key: client.get(BUCKET, f"{fleet.prefix}/{key}") for key in objects} == before, "byte for byte"
    fleet.assert_each_line_once()
    fleet.assert_audit()


def test_replay_refuses_while_somebody_is_at_work(fleet):
    fleet.source()
    fleet.init()
    worker = fleet.start("worker")
    wait_for("the worker in its group", lambda: group_members(fleet.servers.kafka, "fleet.workers.g1"), 60)
    done = sluice("replay", fleet.config_path, "--jobs")
    assert done.returncode == DENIED and b"has to be done first" in done.stdout, done
    worker.drain()


def test_a_raised_generation_converts_everything_anew_beside_the_old_one(fleet):
    before = settled(fleet)
    fleet.settings["generation"] = 2
    fleet.write_config()
    assert b"sluice init" in sluice("worker", fleet.config_path, check=DENIED).stderr
    fleet.init()
    fleet.start_all()
    fleet.until_done()
    fleet.drain_all()
    fleet.assert_each_line_once(generation=2)
    fleet.assert_audit()
    assert {k: v for k, v in fleet.list().items() if k in before} == before
    assert readers.multiset(readers.lines(fleet.out, 1)) == readers.multiset(readers.lines(fleet.out, 2))


def test_workers_of_an_older_generation_take_no_jobs_away(fleet):
    """A rolling upgrade: those of the old one are still there, and have nothing to do."""
    settled(fleet)
    old = [fleet.start("worker"), fleet.start("worker")]
    lanes = 2 * fleet.settings["lanes"]
    wait_for("the old workers in their group",
             lambda: group_members(fleet.servers.kafka, "fleet.workers.g1") >= lanes, 60)
    fleet.settings["generation"] = 2
    fleet.init()
    fleet.start_all(workers=1)
    fleet.until_done(120)
    assert all(process.alive for process in old)
    fleet.drain_all()
    fleet.assert_each_line_once(generation=2)
    fleet.assert_audit()


def test_help_says_what_replay_does(fleet):
    assert b"--blocks" in sluice("replay", "--help", check=OK).stdout
