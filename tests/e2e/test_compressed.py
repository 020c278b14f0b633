# SPDX-License-Identifier: Apache-2.0
"""Promise: compressed files, and files in other encodings, are read as their texts, every line of them exactly once: with
any number of members, appended to, cut off, damaged at any byte, and killed in the middle. What cannot be read is one
reject that says where."""
import bz2
import gzip
import lzma
import random
import subprocess
import time

import pytest
import zstandard

import readers
from pipeline import OK, make_logs, sluice, wait_for

PACK = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}
UNPACK = {"gzip": ["gzip", "-dc"], "zstd": ["zstd", "-dc"], "xz": ["xz", "-dc"], "bzip2": ["bzip2", "-dc"]}


def numbered(first, count, mark="line"):
    return b"".join(b"%s %d\n" % (mark.encode(), i) for i in range(first, first + count))


def raw(pipe, **more):
    pipe.source("app", "*", "raw", close_after="200ms", rotated_after="200ms", **more)
    return pipe.output(partition="", flush="50ms").set(rescan="50ms")


def assert_texts(pipe, expected, damaged=0):
    """The records are these lines; so many rejects say that a file stops. Once more changes nothing, and all adds up."""
    for _ in range(2):
        assert sorted(readers.lines(pipe.out)) == sorted(expected)
        stops = readers.rejects(pipe.out)
        assert [r["reason"] for r in stops] == ["damaged"] * damaged
        pipe.run_once()
    pipe.ask("audit", "--deep", check=OK)
    return stops


@pytest.mark.parametrize("kind", PACK)
def test_members_one_after_another(pipe, kind):
    members = [numbered(0, 3000), b"", numbered(3000, 1), b"no end", b" yet\n" + numbered(4000, 5000)]
    pipe.file("a.log", b"".join(map(PACK[kind], members)) + b"\0" * 64)
    pipe.file("plain.log", numbered(10000, 10))
    raw(pipe).run_once()
    assert_texts(pipe, b"".join(members).splitlines() + numbered(10000, 10).splitlines())


@pytest.mark.parametrize("kind", PACK)
def test_a_large_file_comes_out_as_the_tool_says(pipe, kind):
    made = pipe.folder / "made"
    make_logs(made, 3 << 20, errors=0.01)
    pipe.file("a.ndjson.packed", PACK[kind](made.read_bytes()))
    pipe.source().run_once()
    readers.assert_each_line_once(pipe.out, [made])
    pipe.ask("audit", "--deep", check=OK)


@pytest.mark.parametrize("kind", PACK)
def test_a_file_that_is_cut_off_gives_all_lines_before(pipe, kind):
    text = b"".join(b"%d %s\n" % (i, random.Random(i).randbytes(30).hex().encode()) for i in range(4000))
    packed = PACK[kind](text)
    cut = packed[:len(packed) * 2 // 3]
    path = pipe.file("a.log", cut)
    tool = subprocess.run(UNPACK[kind], stdin=path.open("rb"), capture_output=True, check=False)
    raw(pipe).run_once()
    got = b"".join(line + b"\n" for line in sorted(readers.lines(pipe.out), key=lambda l: int(l.split()[0])))
    assert text.startswith(got) and got.count(b"\n") >= tool.stdout.count(b"\n")
    stop = assert_texts(pipe, got.splitlines(), damaged=1)[0]
    assert f"ends at its byte {len(cut)}" in stop["detail"] and stop["offset"] == len(got)
    assert text.startswith(got + stop["bytes"])
    receipt = next(iter((pipe.out / "_receipts").rglob("*.json"))).read_text()
    assert '"rejects":1' in receipt.replace(" ", "")


@pytest.mark.parametrize("kind", PACK)
def test_damage_anywhere_is_one_reject(pipe, kind):
    good, rng = PACK[kind](numbered(0, 400)) + PACK[kind](numbered(400, 30)), random.Random(7)
    for at in sorted(rng.sample(range(len(good)), 40)):
        bad = bytearray(good)
        bad[at] ^= 1 << rng.randrange(8)
        pipe.file(f"{at}.log", bytes(bad))
    pipe.file("good.log", good)
    raw(pipe, compression=kind).run_once()
    assert len(readers.rejects(pipe.out)) >= 30  # some bytes of a head mean nothing
    known = {b"line %d" % i for i in range(430)}
    assert sum(line in known for line in readers.lines(pipe.out)) >= 430
    assert_texts(pipe, readers.lines(pipe.out), damaged=len(readers.rejects(pipe.out)))


def test_nothing_but_a_header_is_a_reject_too(pipe):
    pipe.file("a.log", gzip.compress(numbered(0, 10))[:10])
    raw(pipe).run_once()
    assert_texts(pipe, [], damaged=1)


def test_a_bomb_ends_with_a_reject_and_goes_on_when_the_limit_is_raised(pipe):
    pipe.file("bomb.log", gzip.compress(b"0123456\n" * 1000))
    raw(pipe, inflate={"bytes_max": 4004}).run_once()
    stop = assert_texts(pipe, [b"0123456"] * 500, damaged=1)[0]
    assert stop["bytes"] == b"0123" and "more text than is allowed" in stop["detail"]
    pipe.settings["sources"][0]["inflate"]["bytes_max"] = "1MiB"
    pipe.run_once()
    assert sorted(readers.lines(pipe.out)) == sorted([b"0123456"] * 999 + [b"456"])


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_member_that_is_appended_while_it_is_watched(pipe, kind):
    expected = []
    with raw(pipe).start() as running:
        for turn in range(8):
            text = numbered(turn * 100, 50 + turn)
            pipe.file("a.log", PACK[kind](text), append=True)
            expected += text.splitlines()
            wait_for("the member's lines", lambda: len(readers.lines(pipe.out)) >= len(expected))
        running.drain()
    assert_texts(pipe, expected)


def test_a_member_that_is_written_in_pieces(pipe):
    text = numbered(0, 20000)
    packed = gzip.compress(text)
    pipe.source("app", "*", "raw", close_after="1h", rotated_after="1h")
    with pipe.output(partition="", flush="50ms").set(rescan="50ms").start() as running:
        for at in range(0, len(packed), 7001):
            pipe.file("a.log", packed[at:at + 7001], append=True)
            time.sleep(0.05)
        wait_for("all lines", lambda: len(readers.lines(pipe.out)) >= 20000)
        running.drain()
    assert_texts(pipe, text.splitlines())


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_kill_9_in_the_middle(pipe, kind):
    expected, rng = [], random.Random(3)
    for n in range(6):
        text = numbered(n * 100000, 30000, f"file{n}")
        pipe.file(f"{n}.log", PACK[kind](text[:200000]) + PACK[kind](text[200000:]))
        expected += text.splitlines()
    raw(pipe)
    for _ in range(12):
        with pipe.start() as running:
            time.sleep(rng.random() * 0.4)
            running.kill()
    pipe.run_once()
    assert_texts(pipe, expected)


def test_table_in_a_compressed_file(pipe):
    rows = b"".join(b"%d,\"a\nb\"\n" % i for i in range(3000))
    pipe.file("a.csv", gzip.compress(b"n,t\n" + rows))
    pipe.source("app", "*", "csv", table={"quoted_newlines": True})
    pipe.output(partition="").run_once()
    assert len(readers.lines(pipe.out)) == 3000
    pipe.ask("audit", "--deep", check=OK)


def test_try_shows_compressed_files_and_where_they_stop(pipe):
    packed = gzip.compress(numbered(0, 30))
    raw(pipe, encoding="latin-1")
    whole = pipe.file("a.log", packed)
    cut = pipe.file("b.log", packed[:-20])
    done = sluice("try", pipe.write_config(), whole, check=OK)
    assert b"line 19" in done.stdout and not done.stderr
    assert b"cut off" in sluice("try", pipe.config_path, cut, check=OK).stderr
    sluice("check", pipe.config_path, check=OK)


def test_compression_none_reads_the_file_as_it_is(pipe):
    pipe.file("a.log", b"\x1f\x8b not so\n")
    raw(pipe, compression="none").run_once()
    assert_texts(pipe, [b"\x1f\x8b not so"])


# --- rotation --------------------------------------------------------------------------------------------------------

def rotated(pipe, **more):
    """Watches app.log and what rotation makes of it."""
    pipe.source("app", "app.log*", "raw", close_after="1h", rotated_after="300ms", stripe_bytes="4KiB", **more)
    return pipe.output(partition="", flush="50ms").set(rescan="50ms")


def compress(path):
    subprocess.run(["gzip", path], check=True)


@pytest.mark.parametrize("moment", ["watched", "between runs", "half read"])
def test_live_to_gz_rotation(pipe, moment):
    """app.log was read, whole or in part, becomes app.log.1 and then app.log.1.gz: nothing of it is read again."""
    rotated(pipe)
    text, more = numbered(0, 4000), numbered(4000, 4000)
    path = pipe.file("app.log", text)
    running = pipe.start()
    with running:
        wait_for("what is there", lambda: len(readers.lines(pipe.out)) >= 4000)
        if moment != "watched":
            running.drain()
        if moment == "half read":
            pipe.file("app.log", more, append=True)
        path.rename(pipe.inputs / "app.log.1")
        compress(pipe.inputs / "app.log.1")
        pipe.file("app.log", numbered(20000, 100))
        if moment == "watched":
            wait_for("the new file", lambda: len(readers.lines(pipe.out)) >= 4100)
            time.sleep(0.5)
            running.drain()
    pipe.run_once()
    expected = text + (more if moment == "half read" else b"") + numbered(20000, 100)
    assert_texts(pipe, expected.splitlines())
    files = pipe.ask_json("status")["files"]
    assert len(files) == 2, files


def test_rotation_with_kill_9_in_the_middle(pipe):
    """Rotated and compressed again and again, killed again and again."""
    rotated(pipe)
    expected, rng = [], random.Random(11)
    for turn in range(8):
        text = numbered(turn * 100000, 5000)
        with pipe.start() as running:
            path = pipe.file("app.log", text)
            time.sleep(rng.random() * 0.3)
            if turn % 3 == 2:
                running.kill()
            for n in range(turn, 0, -1):
                (pipe.inputs / f"app.log.{n}.gz").rename(pipe.inputs / f"app.log.{n + 1}.gz")
            path.rename(pipe.inputs / "app.log.1")
            time.sleep(rng.random() * 0.1)
            compress(pipe.inputs / "app.log.1")
            time.sleep(rng.random() * 0.2)
            running.kill()
        expected += text.splitlines()
    pipe.run_once()
    assert_texts(pipe, expected)


def test_a_gz_that_is_being_written_beside_its_original(pipe):
    """gzip works for a while, with both files there, and is killed; then somebody does it again."""
    rotated(pipe)
    text = numbered(0, 30000)
    pipe.file("app.log.1", text)
    packed = gzip.compress(text)
    with pipe.start() as running:
        wait_for("all of it", lambda: len(readers.lines(pipe.out)) >= 30000)
        for at in range(0, len(packed), len(packed) // 6 + 1):
            pipe.file("app.log.1.gz", packed[at:at + len(packed) // 6 + 1], append=True)
            time.sleep(0.1)
        (pipe.inputs / "app.log.1").unlink()
        time.sleep(0.5)
        running.drain()
    assert_texts(pipe, text.splitlines())


def test_a_gz_that_is_empty_when_it_is_first_seen(pipe):
    """gzip has made the file, and has written nothing yet, while several scans go by: it is not enrolled as a file of its
    own, which it would be for ever."""
    raw(pipe)
    pipe.settings["sources"][0]["rotated_after"] = "5s"
    text = numbered(0, 5000)
    path = pipe.file("app.log", text)
    with pipe.start() as running:
        wait_for("all of it", lambda: len(readers.lines(pipe.out)) >= 5000)
        path.rename(pipe.inputs / "app.log.1")
        packed = pipe.file("app.log.1.gz", b"")
        time.sleep(0.5)
        packed.write_bytes(gzip.compress(text))
        (pipe.inputs / "app.log.1").unlink()
        time.sleep(0.5)
        running.drain()
    assert_texts(pipe, text.splitlines())


def test_another_file_of_that_name_is_read(pipe):
    """The same name and the same beginning are not the same file."""
    rotated(pipe)
    head = numbered(0, 2000)
    path = pipe.file("app.log", head + numbered(5000, 1000))
    pipe.run_once()
    path.unlink()
    pipe.file("app.log.1.gz", gzip.compress(head + numbered(7000, 1000)))
    pipe.run_once()
    assert_texts(pipe, (head + numbered(5000, 1000) + head + numbered(7000, 1000)).splitlines())


def test_after_durable_removes_the_compressed_file(pipe):
    rotated(pipe, after_durable="delete")
    path = pipe.file("app.log.1", numbered(0, 4000))
    compress(path)
    pipe.run_once()
    assert not list(pipe.inputs.iterdir())
    assert len(readers.lines(pipe.out)) == 4000


# --- encodings -------------------------------------------------------------------------------------------------------

TEXT = "".join(f"{i} größe 日本 \U0001F600\n" for i in range(9000))


@pytest.mark.parametrize("name, codec, mark", [
    ("utf-16", "utf-16-le", b"\xff\xfe"), ("utf-16", "utf-16-be", b"\xfe\xff"), ("utf-16le", "utf-16-le", b""),
    ("utf-16be", "utf-16-be", b""), ("gb18030", "gb18030", b"")])
@pytest.mark.parametrize("packed", [False, True])
def test_encodings_become_utf8(pipe, name, codec, mark, packed):
    """A surrogate pair lies across every edge of a buffer that there can be: 9,000 lines of an odd length."""
    content = mark + TEXT.encode(codec)
    pipe.file("a.log", gzip.compress(content) if packed else content)
    raw(pipe, encoding=name).run_once()
    assert_texts(pipe, TEXT.encode().splitlines())


@pytest.mark.parametrize("name, codec, text", [
    ("latin-1", "latin-1", "größe\né\n"), ("windows-1252", "cp1252", "€ 5\n"), ("shift_jis", "shift_jis", "日本\nカナ\n"),
    ("euc-jp", "euc_jp", "日本\n"), ("gbk", "gbk", "中文\n"), ("big5", "big5", "中文\n"), ("euc-kr", "euc_kr", "한국\n")])
def test_encodings_of_bytes(pipe, name, codec, text):
    pipe.file("a.log", (text * 3000).encode(codec))
    raw(pipe, encoding=name).run_once()
    assert_texts(pipe, (text * 3000).encode().splitlines())


def test_what_is_no_character_is_a_reject_or_replaced(pipe):
    pipe.file("a.log", "good\n".encode("utf-16-le") + b"\x00\xd8b\0a\0d\0\n\0" + "fine\n".encode("utf-16-le"))
    raw(pipe, encoding="utf-16le").run_once()
    readers.assert_lines(pipe.out, [b"good", b"fine"], [("utf8", b"\xffbad")])
    pipe.settings["sources"][0]["encoding_errors"] = "replace"
    pipe.set(generation=2).run_once()
    assert sorted(readers.lines(pipe.out, generation=2)) == sorted([b"good", b"fine", "\ufffdbad".encode()])


def test_utf16_that_is_appended_byte_by_byte(pipe):
    content = TEXT[:60].encode("utf-16-le")
    with raw(pipe, encoding="utf-16le").start() as running:
        pipe.settings["sources"][0]["close_after"] = "1h"
        for at in range(len(content)):
            pipe.file("a.log", content[at:at + 1], append=True)
            time.sleep(0.005)
        wait_for("its lines", lambda: len(readers.lines(pipe.out)) >= TEXT[:60].count("\n"))
        running.drain()
    pipe.run_once()
    assert b"\n".join(sorted(readers.lines(pipe.out))) == b"\n".join(sorted(TEXT[:60].encode().splitlines()))
