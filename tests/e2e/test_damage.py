# SPDX-License-Identifier: Apache-2.0
"""Promise: what is damaged is told and never overwritten; a full disk stops the work and loses nothing; two runs never
share a state folder; an output location belongs to one ledger."""
import os
import resource
import signal
import subprocess

import pytest

import readers
from pipeline import BROKEN, LIMIT, NO, OK, RUN_SECONDS_MAX, USAGE, file_size_limit, file_sizes, make_logs, sluice, wait_for

MEBI = 1 << 20


def tree(folder):
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def unfinished(pipe):
    """A pipeline that was killed in the middle, so that its spool and its ledger hold what is not yet durable."""
    make_logs(pipe.inputs / "a.ndjson", 60 * MEBI)
    pipe.source(stripe_bytes="4MiB").output(partition="h={time:%H}", flush="1h")
    with pipe.start() as running:
        wait_for("blocks in the spool", lambda: sum(file_sizes(pipe.state).values()) > 2 * MEBI)
        running.kill()
    return pipe


def state_files(pipe):
    return [path for path, size in file_sizes(pipe.state).items() if size]


def test_a_killed_run_goes_on(unfinished):
    """The control: without damage, the next run ends it."""
    unfinished.run_once()
    readers.assert_each_line_once(unfinished.out, [unfinished.inputs / "a.ndjson"])


PAGE = 4096


def damage(path, how):
    data = bytearray(path.read_bytes())
    if how == "inverted pages":  # every other page but the first, whose head would be refused anyway
        for at in range(PAGE, len(data), 2 * PAGE):
            data[at:at + PAGE] = bytes(b ^ 0xFF for b in data[at:at + PAGE])
    elif how == "zeroed head":
        data[:PAGE] = bytes(min(PAGE, len(data)))
    elif how == "cut in half":
        del data[len(data) // 2:]
    elif how == "something else":
        data = bytearray(b"this is something else\n" * 300)
    path.write_bytes(data)


@pytest.mark.parametrize("how", ["inverted pages", "zeroed head", "cut in half", "something else"])
def test_a_damaged_ledger_is_told_and_left_as_it_is(pipe, how):
    make_logs(pipe.inputs / "a.ndjson", 3 * MEBI)
    pipe.source().run_once()
    before = tree(pipe.out)
    ledgers = [p for p in state_files(pipe) if p.name.endswith((".sqlite", ".db"))]
    assert len(ledgers) == 1, "which file is the ledger?"
    damage(ledgers[0], how)
    broken = ledgers[0].read_bytes()
    pipe.file("b.ndjson", b'{"time":"2026-01-01T00:00:00Z"}\n')
    done = pipe.run_once(check=None)
    assert done.returncode == BROKEN, done.stderr.decode(errors="replace")[-2000:]
    assert ledgers[0].name.encode() in done.stderr, done.stderr.decode(errors="replace")[-2000:]
    assert ledgers[0].read_bytes() == broken, "the damaged file was changed"
    assert tree(pipe.out) == before, "something was written on the word of a damaged ledger"


def test_a_flipped_byte_in_the_spool_is_told_and_never_becomes_output(unfinished):
    """Either the run stops, loudly, or it makes the lost part again; no wrong byte reaches an object."""
    spools = sorted((p for p in state_files(unfinished) if "ledger" not in str(p)), key=lambda p: -p.stat().st_size)
    data = bytearray(spools[0].read_bytes())
    at = len(data) // 2
    data[at] ^= 0x10
    spools[0].write_bytes(data)
    done = unfinished.run_once(check=None)
    if done.returncode == OK:
        readers.assert_each_line_once(unfinished.out, [unfinished.inputs / "a.ndjson"])
    else:
        assert done.returncode == BROKEN
        assert spools[0].name.encode() in done.stderr, done.stderr.decode(errors="replace")[-2000:]
    given = readers.multiset(readers.input_lines(unfinished.inputs / "a.ndjson"))
    assert not readers.multiset(readers.lines(unfinished.out)) - given


def test_a_torn_tail_of_the_spool_is_what_a_crash_leaves_and_is_mended(unfinished):
    spools = sorted((p for p in state_files(unfinished) if "ledger" not in str(p)), key=lambda p: p.stat().st_mtime_ns)
    with open(spools[-1], "ab") as out:
        out.write(os.urandom(1000))
    unfinished.run_once()
    readers.assert_each_line_once(unfinished.out, [unfinished.inputs / "a.ndjson"])


def test_a_state_folder_that_was_removed_never_doubles_silently(unfinished):
    """The output belongs to the ledger that is gone: refused, and the output is untouched."""
    unfinished.run_once()
    subprocess.run(["rm", "-rf", str(unfinished.state)], check=True)
    before = tree(unfinished.out)
    done = unfinished.run_once(check=None)
    assert done.returncode not in (OK, 1, 2)
    assert str(unfinished.out).encode() in done.stderr or b"output" in done.stderr
    assert tree(unfinished.out) == before


def test_an_older_copy_of_the_state_folder_never_doubles_lines(pipe):
    path = pipe.inputs / "a.ndjson"
    make_logs(path, 4 * MEBI, seed=1)
    pipe.source().run_once()
    subprocess.run(["cp", "-a", pipe.state, pipe.folder / "old-state"], check=True)
    make_logs(path, 4 * MEBI, seed=2, append=True)
    pipe.run_once()
    subprocess.run(["rm", "-rf", pipe.state], check=True)
    (pipe.folder / "old-state").rename(pipe.state)
    make_logs(path, 4 * MEBI, seed=3, append=True)
    pipe.run_once()
    readers.assert_each_line_once(pipe.out, [path])
    pipe.ask("audit", "--deep", check=OK)


def test_the_second_run_on_one_state_folder_is_refused(pipe):
    make_logs(pipe.inputs / "a.ndjson", 1 * MEBI)
    pipe.source()
    with pipe.start() as running:
        wait_for("the state folder", lambda: state_files(pipe))
        done = sluice("run", pipe.config_path, "--once")
        assert done.returncode not in (OK, 1, 2)
        assert str(pipe.state).encode() in done.stderr
        running.drain()
    pipe.run_once()
    readers.assert_each_line_once(pipe.out, [pipe.inputs / "a.ndjson"])


def test_a_lock_of_a_killed_run_is_no_obstacle(pipe):
    make_logs(pipe.inputs / "a.ndjson", 1 * MEBI)
    pipe.source()
    with pipe.start() as running:
        wait_for("the state folder", lambda: state_files(pipe))
        running.kill()
    pipe.run_once()
    readers.assert_each_line_once(pipe.out, [pipe.inputs / "a.ndjson"])


@pytest.mark.parametrize("limit", [64 * 1024, 300 * 1024, MEBI, 3 * MEBI])
def test_files_that_cannot_grow_are_told_and_lose_nothing(pipe, limit):
    """RLIMIT_FSIZE: writing fails in the middle of whatever file reaches the limit first. The run may end with an error
    or wait for room; when there is room, it goes on, or the next one does."""
    path = pipe.inputs / "a.ndjson"
    make_logs(path, 40 * MEBI)
    pipe.source().output(partition="all", block_bytes="256KiB")
    with pipe.start("--once", preexec_fn=file_size_limit(limit)) as running:
        wait_for("the failure to be told", lambda: running.process.poll() is not None or "File too large" in running.text())
        assert running.text().strip()
        try:
            resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        except ProcessLookupError:
            pass  # it ended: that is told by its exit code
        code = running.process.wait(timeout=RUN_SECONDS_MAX)
        assert code in (OK, LIMIT), running.text()[-2000:]
    pipe.run_once()
    readers.assert_each_line_once(pipe.out, [path])
    pipe.ask("audit", "--deep", check=OK)


@pytest.mark.parametrize("limit", [4 * 1024, 20 * 1024, 100 * 1024, MEBI])
def test_once_waits_for_room_as_long_as_it_was_told_and_ends_with_69(pipe, limit):
    """A limit of file sizes that nobody lifts, at whichever file it strikes; without the handler that Python sets, too."""
    path = pipe.inputs / "a.ndjson"
    make_logs(path, 10 * MEBI)
    pipe.source().output(partition="all", block_bytes="256KiB")

    def limits():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)

    done = pipe.run_once("--patience", "1s", check=LIMIT, preexec_fn=limits)
    assert b"limit of file sizes" in done.stderr or b"File too large" in done.stderr, done.stderr
    pipe.run_once()
    readers.assert_each_line_once(pipe.out, [path])
    pipe.ask("audit", "--deep", check=OK)


@pytest.mark.parametrize("which", ["out", "state"])
def test_a_full_disk_is_told_and_loses_nothing(pipe, which):
    """A file system of its own, smaller than what is to be written, in a mount namespace of its own; later it has room."""
    path = pipe.inputs / "a.ndjson"
    make_logs(path, 60 * MEBI)
    pipe.source().output(partition="h={time:%H}", block_bytes="256KiB")
    folder = pipe.out if which == "out" else pipe.state
    folder.mkdir()
    script = f"""
        mount -t tmpfs -o size=6m none {folder} || exit 90
        "$SLUICE_BINARY" run {pipe.write_config()} --once 2>{pipe.folder}/log & pid=$!
        for i in $(seq 600); do
            grep -q "No space left" {pipe.folder}/log && break
            kill -0 $pid 2>/dev/null || break
            sleep 0.1
        done
        grep "No space left" {pipe.folder}/log >&2 || {{ cat {pipe.folder}/log >&2; exit 91; }}
        mount -o remount,size=1g {folder} || exit 92
        code=0; wait $pid || code=$?
        [ $code != 1 ] && [ $code != 2 ] && [ $code -lt 128 ] || {{ echo "exit code $code" >&2; exit 93; }}
        "$SLUICE_BINARY" run {pipe.config_path} --once || exit 94
        mkdir {pipe.folder}/copy && cp -a {pipe.out}/. {pipe.folder}/copy/ || exit 95
        "$SLUICE_BINARY" audit --config {pipe.config_path} --deep || exit 96
    """
    command = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "bash", "-c", script]
    done = subprocess.run(command, capture_output=True, timeout=RUN_SECONDS_MAX)
    assert done.returncode == 0, (done.returncode, done.stderr.decode(errors="replace")[-3000:])
    readers.assert_each_line_once(pipe.folder / "copy", [path])


def test_an_output_folder_that_may_not_be_written_is_told(pipe):
    pipe.file("a.ndjson", b"{}\n")
    pipe.source(time_field=None).output(partition="all")
    pipe.out.write_bytes(b"a file, not a folder")
    done = pipe.run_once(check=None)
    assert done.returncode not in (OK, 1, 2) and str(pipe.out).encode() in done.stderr
    assert pipe.out.read_bytes() == b"a file, not a folder"
