# SPDX-License-Identifier: Apache-2.0
"""Promise: the commands tell the truth about a pipeline, in words and as JSON, with the exit codes that are documented."""
import json
import subprocess

import pytest

import readers
from pipeline import BINARY, NO, OK, USAGE, make_logs, sluice

MEBI = 1 << 20
GOOD = b'{"time":"2026-01-01T%02d:00:00Z","status":%d,"n":%d}'


def log(count=48):
    """One line an hour in turn, two statuses, and three bad lines at known places (line numbers from 1)."""
    lines = [GOOD % (i % 24, 200 if i % 3 else 404, i) for i in range(count)]
    for at in (5, 20, 40):
        lines.insert(at, b"bad %d" % at)
    return b"\n".join(lines) + b"\n"


@pytest.fixture
def done(pipe):
    """A pipeline that ran over two files."""
    pipe.file("a.ndjson", log())
    pipe.file("b.ndjson", log(24) + b"\n")
    pipe.source().output(partition="dt={time:%Y-%m-%d}/status={status}").run_once()
    return pipe


def by_name(status):
    """The files of `status --json` by their last name, wherever the list stands."""
    return {f["uri"].rsplit("/", 1)[-1]: f for f in (status["files"] if isinstance(status, dict) else status)}


def test_status_tells_each_file(done):
    files = by_name(done.ask_json("status"))
    assert set(files) == {"a.ndjson", "b.ndjson"}
    size = (done.inputs / "a.ndjson").stat().st_size
    a = files["a.ndjson"]
    assert (a["size"], a["done"], a["durable"], a["lines"], a["rejects"]) == (size, size, size, 51, 3)
    assert files["b.ndjson"]["lines"] == 28


def test_status_of_one_file_tells_only_that(done):
    assert set(by_name(done.ask_json("status", done.inputs / "b.ndjson"))) == {"b.ndjson"}
    text = done.ask("status", done.inputs / "b.ndjson").stdout
    assert b"b.ndjson" in text and b"a.ndjson" not in text


def test_status_before_the_first_run_is_empty_and_no_error(pipe):
    pipe.source()
    assert by_name(pipe.ask_json("status")) == {}


def test_status_without_a_terminal_has_no_colours(done):
    assert b"\x1b" not in done.ask("status").stdout


def test_audit_is_clean_after_a_run(done):
    for more in ([], ["--deep"]):
        done.ask("audit", *more, check=OK)
        told = done.ask_json("audit", *more, check=OK)
        assert isinstance(told, dict)


def test_audit_counts_every_line(done):
    text = json.dumps(done.ask_json("audit"))
    files = by_name(json.loads(text))
    counts = files["b.ndjson"].get("counts", files["b.ndjson"])
    assert counts["lines"] == counts["converted"] + counts["rejects"] + counts["filtered"] + counts["blank"] == 28


def test_audit_names_a_manifest_that_is_gone(done):
    for path in done.out.glob("_manifests/*/*/*/*.json"):
        path.unlink()
    done.ask("audit", check=NO)


def test_audit_names_an_object_that_was_cut(done):
    listed = readers.objects(done.out)[0]
    path = done.out / listed["key"]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-10])
    answer = done.ask("audit", check=NO)
    assert listed["key"].encode() in answer.stdout + answer.stderr


def test_rejects_shows_the_true_line_number(pipe):
    """Across stripes: the number is the one that an editor shows."""
    path = pipe.inputs / "a.ndjson"
    make_logs(path, 5 * MEBI, errors=0.0005)
    with open(path, "ab") as out:
        out.write(b"the last one\n")
    pipe.source(stripe_bytes="1MiB").run_once()
    told = [json.loads(line) for line in pipe.ask("rejects", "--json").stdout.splitlines()]
    text = path.read_bytes().split(b"\n")
    stored = {r["offset"]: r for r in readers.rejects(pipe.out)}
    assert len(told) == len(stored) > 3
    for reject in told:
        assert text[reject["line"] - 1] == stored[reject["offset"]]["bytes"]
    assert max(r["line"] for r in told) == len(text) - 1


def test_rejects_in_words_name_file_line_and_reason(done):
    text = done.ask("rejects").stdout.decode()
    assert f"{done.inputs}/a.ndjson:6" in text and "json" in text


def test_cat_gives_every_record(done):
    assert sorted(done.ask("cat").stdout.splitlines()) == sorted(readers.lines(done.out))


def test_cat_of_a_partition_and_with_where_gives_only_that(done):
    expected = sorted(line for line in readers.lines(done.out) if b'"status":404' in line)
    assert expected
    assert sorted(done.ask("cat", "dt=2026-01-01/status=404").stdout.splitlines()) == expected
    assert sorted(done.ask("cat", "--where", "status=404").stdout.splitlines()) == expected


def test_cat_between_two_times(pipe):
    """Whole blocks are chosen by their times; what is asked for is there for certain."""
    pipe.file("a.ndjson", log())
    pipe.source().output(partition="h={time:%H}").run_once()
    found = pipe.ask("cat", "--from", "2026-01-01T03:00:00Z", "--to", "2026-01-01T05:00:00Z").stdout.splitlines()
    hours = {json.loads(line)["time"][11:13] for line in found}
    assert {"03", "04"} <= hours <= {"03", "04", "05"}
    assert len([l for l in found if b"T03:" in l or b"T04:" in l]) == 4


def test_cat_into_a_closed_pipe_ends_quietly(done):
    shell = subprocess.run(["bash", "-c", f"{BINARY} cat --config {done.config_path} | head -1"], capture_output=True,
                           timeout=60)
    assert shell.returncode == 0 and shell.stderr == b"" and shell.stdout.count(b"\n") == 1


def test_convert_needs_no_config_file(pipe):
    paths = [pipe.file("a.ndjson", log()), pipe.file("b.ndjson", log(3))]
    out = pipe.folder / "quick"
    for _ in range(2):  # the second time adds nothing
        sluice("convert", "--converter", "ndjson", "--time", "time", "--partition", "dt={time:%Y-%m-%d}", "--out", out,
               *paths, check=OK, cwd=pipe.folder)
        readers.assert_each_line_once(out, paths)
    assert len(readers.rejects(out)) == 6


def test_convert_names_a_file_that_is_not_there(pipe):
    done = sluice("convert", "--converter", "raw", "--out", pipe.folder / "quick", pipe.folder / "nothing.log")
    assert done.returncode not in (OK, USAGE) and b"nothing.log" in done.stderr


def test_help_and_version_are_answers(pipe):
    text = sluice("--help", check=OK).stdout.decode()
    for command in ("run", "check", "convert", "try", "test", "status", "audit", "rejects", "cat", "config"):
        assert command in text
    assert b"sluice" in sluice("--version", check=OK).stdout


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["run"], ["run", "--nothing"], ["run", "a", "b", "c"], ["cat", "--from"],
                                       ["convert"], ["audit", "--depp"], ["--nothing"], ["check"]])
def test_wrong_use_has_its_own_exit_code_and_says_why(arguments):
    done = sluice(*arguments, check=USAGE)
    assert b"sluice" in done.stderr and not done.stdout


def test_an_unknown_command_is_named_and_help_is_pointed_to():
    told = sluice("audti", check=USAGE).stderr
    assert b"audti" in told and b"--help" in told


@pytest.mark.parametrize("command", ["run", "convert", "check", "try", "test", "config", "status", "audit", "rejects", "cat"])
def test_every_command_explains_itself(command):
    assert sluice(command, "--help", check=OK).stdout.startswith(b"usage: sluice " + command.encode())
