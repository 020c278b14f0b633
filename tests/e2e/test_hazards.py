# SPDX-License-Identifier: Apache-2.0
"""Promise: the hazards that log shippers are known to get wrong lose and double nothing, whatever the size of the stripes.

One named case a hazard. Each pipeline has the same files in four sources, with stripes of 64 bytes to 64 MiB: all four
give the same records, and those are the lines that were written. Then everything is run once more, which adds nothing,
and the audit reads all of it back."""
import os

import pytest

import readers
from pipeline import NO, OK, Running, wait_for

STRIPES = {"s64": 64, "s4k": "4KiB", "s1m": "1MiB", "s64m": "64MiB"}
KIBI = 1 << 10


def numbered(first, count, mark="line"):
    """Lines that are all different, so that each can be found again."""
    return b"".join(b"%s %d\n" % (mark.encode(), i) for i in range(first, first + count))


class Hazard:
    """A pipeline whose files are read by four sources, and all that its writers wrote."""

    def __init__(self, pipe):
        self.pipe, self.expected = pipe, []
        for name, size in STRIPES.items():
            pipe.source(name, "*.log*", "raw", stripe_bytes=size, close_after="1s", rotated_after="1s")
        pipe.output(partition="source={source}", flush="50ms").set(rescan="100ms")

    def set(self, **more):
        for source in self.pipe.settings["sources"]:
            source.update(more)

    def write(self, path, text, mode="ab"):
        """Writes whole lines and expects them."""
        path = self.pipe.inputs / path
        with open(path, mode, buffering=0) as out:
            out.write(text)
        self.expected += text.splitlines()
        return path

    def records(self, source):
        return sorted(line for key, line in readers.records(self.pipe.out) if f"/source={source}/" in key)

    def arrived(self):
        """True when as many records can be read as were written, times the sources."""
        count = sum(o["records"] for o in readers.objects(self.pipe.out))
        return count >= len(STRIPES) * len(self.expected)

    def wait(self):
        wait_for(f"{len(self.expected)} records a source", self.arrived)

    def finish(self, running=None):
        """All is there once in each source; running again adds nothing; the audit agrees."""
        if running:
            self.wait()
            running.drain()
        for _ in range(2):
            self.pipe.run_once()
        for source in STRIPES:
            assert self.records(source) == sorted(self.expected), source
        self.pipe.ask("audit", "--deep", check=OK)


@pytest.fixture
def hazard(pipe):
    return Hazard(pipe)


# --- renaming --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("pace", ["fast", "slow"])
def test_rename_cascade(hazard, pace):
    """app.log becomes app.log.1, that app.log.2, and so on, ten times; before sluice has looked, or behind it."""
    inputs = hazard.pipe.inputs
    with hazard.pipe.start() as running:
        for turn in range(10):
            hazard.write("app.log", numbered(turn * 100, 60))
            if pace == "slow":
                hazard.wait()
            for n in range(turn, 0, -1):
                (inputs / f"app.log.{n}").rename(inputs / f"app.log.{n + 1}")
            (inputs / "app.log").rename(inputs / "app.log.1")
            hazard.write("app.log.1", b"late %d\n" % turn)  # its writer still holds it
        hazard.finish(running)


@pytest.mark.parametrize("where", ["inside", "outside"])
def test_rename_inside_and_outside_the_glob(hazard, where):
    """The writer goes on with the renamed file. Outside of the glob no name leads to it any more."""
    to = hazard.pipe.inputs / ("app.log.old" if where == "inside" else "app.old")
    hazard.set(rotated_after="1h", close_after="1h")
    with hazard.pipe.start() as running:
        path = hazard.write("app.log", numbered(0, 200) + b"begun")
        hazard.expected.pop()
        hazard.wait()
        with open(path, "ab", buffering=0) as writer:
            path.rename(to)
            hazard.write("app.log", numbered(1000, 50))
            writer.write(b" and ended\n" + numbered(200, 50))
            hazard.expected += [b"begun and ended", *numbered(200, 50).splitlines()]
            hazard.wait()
        hazard.finish(running)


def test_thirty_symlink_switches(hazard):
    """current.log leads to another file each time, as container run-times do it; the link is replaced, not removed."""
    link, away = hazard.pipe.inputs / "current.log", hazard.pipe.folder / "away"
    away.mkdir()
    with hazard.pipe.start() as running:
        for turn in range(30):
            target = hazard.write(away / f"{turn}", numbered(turn * 10, 5))
            (hazard.pipe.folder / "fresh").symlink_to(target)
            (hazard.pipe.folder / "fresh").rename(link)
            hazard.wait()
            if turn % 3 == 0:
                hazard.write(target, numbered(turn * 10 + 5, 5))
                hazard.wait()
        hazard.finish(running)


# --- truncation and other files in the same place -------------------------------------------------------------------

def test_copytruncate(hazard):
    """What is written between the last scan and the truncation is gone for any reader; here it was scanned."""
    with hazard.pipe.start() as running:
        for turn in range(4):
            path = hazard.write("app.log", numbered(turn * 1000, 300))
            hazard.wait()
            (hazard.pipe.inputs / f"copy.{turn}").write_bytes(path.read_bytes())
            os.truncate(path, 0)
        hazard.write("app.log", numbered(9000, 10))
        hazard.finish(running)


HEAD = b"header " + b"x" * 5000 + b"\n"


@pytest.mark.parametrize("head", [b"", HEAD], ids=["other-start", "same-start"])
@pytest.mark.parametrize("count", [20, 400], ids=["shorter", "past-the-old-offset"])
def test_truncated_and_regrown_between_two_scans(hazard, head, count):
    """The same inode; the first bytes are others, or the same and those before the old offset are others."""
    hazard.write("app.log", head + numbered(0, 100, "old"))
    hazard.pipe.run_once()
    hazard.write("app.log", head + numbered(0, count, "new"), mode="wb")
    hazard.finish()


def test_inode_reuse_with_the_same_name_and_first_kib(hazard):
    path = hazard.write("app.log", HEAD + numbered(0, 50, "old"))
    hazard.pipe.run_once()
    inode = path.stat().st_ino
    for _ in range(200):  # file systems hand freed inodes out again soon, but promise nothing
        path.unlink()
        path.write_bytes(HEAD + numbered(0, 60, "new"))
        if path.stat().st_ino == inode:
            break
    print("the inode was reused:", path.stat().st_ino == inode)
    hazard.expected += path.read_bytes().splitlines()
    hazard.finish()


def test_delete_after_read(hazard):
    """What its writer adds behind the deletion may come or not, but never twice, and the run goes on."""
    with hazard.pipe.start() as running:
        path = hazard.write("a.log", numbered(0, 10))
        hazard.wait()
        with open(path, "ab", buffering=0) as writer:
            path.unlink()
            writer.write(numbered(10, 10))
        hazard.write("b.log", numbered(20, 10))
        hazard.wait()
        running.drain()
    for source in STRIPES:
        found = hazard.records(source)
        assert len(found) == len(set(found))
        assert set(hazard.expected) <= set(found) <= set(hazard.expected + numbered(10, 10).splitlines())
    hazard.pipe.ask("audit", "--deep", check=OK)


# --- many, alike, old, forbidden --------------------------------------------------------------------------------------

def test_identical_short_files(hazard):
    for i in range(30):
        hazard.write(f"{i}.log", b"x\n")
        hazard.write(f"{i}.log.1", numbered(0, 3))
    hazard.finish()


def test_ten_thousand_files(hazard):
    for i in range(10_000):
        hazard.write(f"{i}.log", b"%d of many\n" % i)
    hazard.finish()


def test_ignore_older_then_grown(hazard):
    """A file that is too old is left alone, by a new process too; once it grew it is read from its start. What was begun
    is read on, however old it looks."""
    hazard.set(ignore_older="1h")
    old = hazard.pipe.file("old.log", numbered(0, 100, "old"))
    os.utime(old, (1_000_000_000, 1_000_000_000))
    begun = hazard.write("begun.log", numbered(0, 100, "begun"))
    for _ in range(2):
        hazard.pipe.run_once()
    for source in STRIPES:
        assert hazard.records(source) == sorted(hazard.expected)
    hazard.write("begun.log", numbered(100, 100, "begun"))
    os.utime(begun, (1_000_000_000, 1_000_000_000))
    with hazard.pipe.start() as running:
        hazard.wait()
        hazard.expected += old.read_bytes().splitlines()
        hazard.write("old.log", numbered(100, 10, "old"))
        hazard.finish(running)


def test_unreadable_then_readable(hazard):
    """Run as nobody where the tests run as root, whom no permission stops. Told once a source, and the rest goes on."""
    pipe = hazard.pipe
    closed = hazard.write("closed.log", numbered(0, 10, "closed"))
    hazard.write("open.log", numbered(0, 10, "open"))
    closed.chmod(0)
    pipe.out.mkdir()
    pipe.state.mkdir()
    prefix = []
    if os.geteuid() == 0:
        prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        for path in (pipe.out, pipe.state):
            os.chown(path, 65534, 65534)
        for folder in [pipe.folder, *pipe.folder.parents][:4]:
            if folder.stat().st_uid == 0 and str(folder).startswith("/tmp/"):
                folder.chmod(0o755)
    with Running(pipe, "--once", prefix=prefix) as running:
        assert running.process.wait() == NO
        told = [line for line in running.text().splitlines() if "file cannot be read" in line]
        assert len(told) == len(STRIPES) and all(str(closed) in line for line in told)
    assert sorted(readers.lines(pipe.out)) == sorted(numbered(0, 10, "open").splitlines() * len(STRIPES))
    with Running(pipe, prefix=prefix) as running:
        wait_for("it to be told again", lambda: running.text().count("file cannot be read") >= 2 * len(STRIPES))
        closed.chmod(0o644)
        hazard.wait()
        running.drain()
    hazard.finish()


# --- lines -----------------------------------------------------------------------------------------------------------

def test_split_writes(hazard):
    """A line comes in two writes, cut anywhere: in a character, in a CRLF. A line in another file shows each time that
    sluice has looked at the first half."""
    hazard.set(close_after="1h")
    line = "a line with ü and 漢 in it\r\n".encode()
    path = hazard.pipe.inputs / "app.log"
    cuts = [1, line.index(b"\xc3") + 1, line.index(b"\xe6") + 2, len(line) - 2, len(line) - 1]
    with hazard.pipe.start() as running:
        for turn, cut in enumerate(cuts):
            with open(path, "ab", buffering=0) as writer:
                writer.write(line[:cut])
                hazard.write("other.log", b"look %d\n" % turn)
                hazard.wait()
                assert not any(b"line" in found for found in hazard.records("s64")[turn * 2 + 1:])
                writer.write(line[cut:])
            hazard.expected.append(line[:-2])
            hazard.wait()
        hazard.finish(running)


@pytest.mark.parametrize("edge", [4 * KIBI, 64 * KIBI, 256 * KIBI])
def test_long_lines_at_a_buffers_edge(hazard, edge):
    """Lines whose ends lie around the sizes that are read, converted and compressed at a time, with LF and CRLF, and a
    CRLF that the edge goes through."""
    hazard.set(max_line_bytes="1MiB")
    for n, (ending, by) in enumerate([(b"\n", 0), (b"\n", 1), (b"\r\n", 0), (b"\r\n", 1)]):
        first = b"%d " % n + b"y" * (edge + by - 2 - len(ending)) + ending
        hazard.write(f"{n}.log", first + b"next\nlast\n")
    hazard.finish()
