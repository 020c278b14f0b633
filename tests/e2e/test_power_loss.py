# SPDX-License-Identifier: Apache-2.0
"""Promise: what is said to be there survives a power cut. No power is cut here: strace shows the order of writes, and the
order is what decides.

  - a file gets its name in the output only when its bytes are synced;
  - when a manifest gets its name, every object, seal and folder that the same thread named before is synced in its folder;
  - when a receipt gets its name, every manifest is synced in its folder;
  - at the end nothing is left that was named and not synced;
  - blocks are synced in the spool, and the ledger in its database, before the first manifest.
"""
import os
import re
import subprocess

import pytest

import readers
from pipeline import BINARY, make_logs

CALLS = "openat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,fsync,fdatasync,syncfs,rename,renameat,renameat2,link,linkat,mkdir,mkdirat"
LINE = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(?:\((.*)| resumed>(.*))$")


def split_arguments(text):
    """The arguments of a call as strace -y writes them: `7</path>`, `"name"`, numbers."""
    return re.findall(r'"(?:[^"\\]|\\.)*"|-?\w+<[^>]*>|AT_FDCWD<[^>]*>|[^, ]+', text)


def path_of(argument):
    if argument.startswith('"'):
        return argument.strip('"')
    match = re.match(r"^[^<]*<([^>]*)>$", argument)
    return match.group(1) if match else argument


def joined(folder, name):
    """A name relative to a descriptor's folder, as the *at calls take it."""
    return os.path.normpath(os.path.join(path_of(folder), path_of(name)))


class Disk:
    """What would be lost if the power went now."""

    def __init__(self, out, state):
        self.out, self.state = str(out), str(state)
        self.dirty = set()  # files with bytes that are not synced
        self.unsynced = {}  # name -> thread that made it, until its folder is synced
        self.synced = set()  # every file that was ever synced
        self.manifests = self.receipts = self.objects = 0

    def inside(self, path):
        return path.startswith(self.out + "/") and not path.startswith(self.out + "/.tmp")

    def wrote(self, path):
        self.dirty.add(path)

    def sync(self, path):
        self.dirty.discard(path)
        self.synced.add(path)
        for name in [n for n in self.unsynced if os.path.dirname(n) == path]:
            del self.unsynced[name]

    def sync_all(self):
        """syncfs: bytes and names of the whole file system; here all is on one."""
        self.synced |= self.dirty
        self.dirty.clear()
        self.unsynced.clear()

    def made_folder(self, thread, path):
        if self.inside(path):
            self.unsynced[path] = thread

    def named(self, thread, old, new):
        if not self.inside(new):
            return
        assert old not in self.dirty, f"{new} got its name before its bytes were synced"
        assert old in self.synced, f"{new} was never synced"
        key = new[len(self.out) + 1:]
        if key.startswith("_manifests/"):
            mine = [n for n, who in self.unsynced.items() if who == thread]
            assert not mine, f"{key} got its name while these could still be lost: {mine}"
            if not self.manifests:
                assert any(p.startswith(self.state) and "/queue/" in p for p in self.synced), "the spool was not synced"
                assert any(p.startswith(self.state) and "ledger" in p for p in self.synced), "the ledger was not synced"
            self.manifests += 1
        elif key.startswith("_receipts/"):
            open_ = [n for n in self.unsynced if "/_manifests/" in n]
            assert not open_, f"{key} got its name while these could still be lost: {open_}"
            self.receipts += 1
        elif not key.startswith("_"):
            self.objects += 1
        self.unsynced[new] = thread


def replay(trace, disk):
    """Goes through a trace. A call that other threads interrupted counts for writes and names where it begins, for syncs
    where it ends: the less lucky of both."""
    begun = {}
    for line in trace:
        match = LINE.match(line.rstrip("\n"))
        if not match:
            continue
        thread, call, head, tail = match.groups()
        if head is None:
            text, whole = begun.pop(thread, "") + tail, True
        else:
            text, whole = head, not head.endswith("<unfinished ...>")
        if not whole:
            begun[thread] = text[: -len("<unfinished ...>")]
        failed = whole and re.search(r"\)\s+= -1 ", text)
        arguments = split_arguments(re.sub(r"\)\s+= .*$", "", text).replace("<unfinished ...>", ""))
        if call in ("fsync", "fdatasync"):
            if whole and not failed:
                disk.sync(path_of(arguments[0]))
        elif call == "syncfs":
            if whole and not failed:
                disk.sync_all()
        elif head is None or failed or not arguments:
            continue  # it counted where it began
        elif call in ("write", "pwrite64", "writev", "pwritev", "pwritev2", "ftruncate"):
            disk.wrote(path_of(arguments[0]))
        elif call in ("renameat", "renameat2", "linkat"):
            disk.named(thread, joined(arguments[0], arguments[1]), joined(arguments[2], arguments[3]))
        elif call in ("rename", "link"):
            disk.named(thread, path_of(arguments[0]), path_of(arguments[1]))
        elif call == "mkdirat":
            disk.made_folder(thread, joined(arguments[0], arguments[1]))
        elif call == "mkdir":
            disk.made_folder(thread, path_of(arguments[0]))


@pytest.mark.parametrize("form", ["jsonl.zst", "jsonl.gz"])
def test_what_has_a_name_is_on_the_disk(pipe, form):
    paths = [pipe.inputs / f"{i}.ndjson" for i in range(3)]
    for i, path in enumerate(paths):
        make_logs(path, 400_000, seed=i, errors=0.01)
    pipe.source().output(partition="h={time:%H}", format=form)
    trace = pipe.folder / "trace"
    subprocess.run(["strace", "-f", "-y", "-s", "1200", "-e", f"trace={CALLS}", "-o", trace, BINARY, "run",
                    pipe.write_config(), "--once"], check=True, capture_output=True, timeout=300)
    disk = Disk(pipe.out, pipe.state)
    with open(trace, encoding="utf-8", errors="replace") as lines:
        replay(lines, disk)
    assert (disk.manifests, disk.receipts) == (len(list(readers.manifests(pipe.out))), 3)
    assert disk.objects == len(readers.objects(pipe.out))
    assert not disk.unsynced, f"named and never synced: {sorted(disk.unsynced)}"


def test_the_replay_sees_each_wrong_order(tmp_path):
    """The proof above is worth what the replay can see."""
    out, state = tmp_path / "out", tmp_path / "state"
    good = [f'1 write(5<{out}/.tmp/a>, "x", 1) = 1', f"1 fsync(5<{out}/.tmp/a>) = 0",
            f'1 renameat2(3<{out}/.tmp>, "a", 4<{out}>, "g1/a", RENAME_NOREPLACE) = 0', f"1 fsync(6<{out}/g1>) = 0",
            f"2 fdatasync(7<{state}/queue/g1/p0/0>) = 0", f"2 fsync(8<{state}/ledger.sqlite-wal>) = 0",
            f'1 write(5<{out}/.tmp/b>, "x", 1) = 1', f"1 fsync(5<{out}/.tmp/b>) = 0",
            f'1 renameat2(3<{out}/.tmp>, "b", 4<{out}>, "_manifests/m", RENAME_NOREPLACE) = 0',
            f"1 fsync(6<{out}/_manifests>) = 0"]
    disk = Disk(out, state)
    replay(good, disk)
    assert (disk.objects, disk.manifests) == (1, 1) and not disk.unsynced
    for missing in (1, 3, 4, 5, 7):
        with pytest.raises(AssertionError):
            replay(good[:missing] + good[missing + 1:], Disk(out, state))
    disk = Disk(out, state)
    replay(good[:9], disk)
    assert disk.unsynced
    at_once = [line.replace("fsync(5<", "syncfs(5<").replace("fsync(6<", "syncfs(6<") for line in good]
    replay(at_once, Disk(out, state))
    for missing in (1, 4, 5, 7):  # not 3: the syncfs for the manifest's bytes brings the object's folder along
        with pytest.raises(AssertionError):
            replay(at_once[:missing] + at_once[missing + 1:], Disk(out, state))
