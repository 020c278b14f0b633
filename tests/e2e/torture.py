# SPDX-License-Identifier: Apache-2.0
"""torture: a random actor against a live `sluice run`, and a reader that is not sluice's who counts every line.

Run alone: torture.py [--seed N] [--minutes M] [--folder DIR] [--keep] (SLUICE_BINARY names the program). One seed is
one sequence of choices; what the machine's timing adds is not repeatable.

What the actor does: it appends whole and broken-off lines, rotates by rename, copies and truncates, deletes, replaces,
links; it kills, stops, resumes and drains the program, fills its disk, puts an older copy of the state folder back,
changes settings between two runs and raises the generation.

What is proved at the end, a generation at a time: each line of a file that is still there stands in the objects or the
rejects once. Of a file that is gone (deleted, truncated) each line stands there at most once, and exactly once if
`status` called it durable before. A line that was written in parts may be there as those parts, for a file may be
closed between them. Nothing else is there: no line torn elsewhere, none twice. Every object is listed, a further run
adds nothing, and `audit --deep` agrees.
"""
import argparse
import base64
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import readers  # noqa: E402
from pipeline import BUSY, LIMIT, NO, OK, Pipeline, file_size_limit, sluice  # noqa: E402

KIBI, MEBI = 1 << 10, 1 << 20
LINE_MAX = 16 * KIBI
TOTAL_BYTES_MAX = 160 * MEBI  # of all that is written: the whole of it is in memory and is compared
DURABLE_WAIT_S = 15
DURABLE_BYTES_MIN = 300
QUIET_S = 60
DISK = "2g"
PARTS_MAX = 4  # cuts in one line


class Incarnation:
    """One file as the actor wrote it, whatever its names."""
    numbers = itertools.count()

    def __init__(self, source, path):
        self.number, self.source, self.path = next(self.numbers), source, path
        self.data = bytearray()
        self.cuts = []       # sizes at which its last line had no end for a while
        self.alive = True    # its bytes can still be read, by a name that matches
        self.lines = 0
        self.durable = {}    # generation -> bytes that `status` called durable
        self.gone_in = None  # the generation in which it went

    def __repr__(self):
        return f"#{self.number} {self.path.name} {len(self.data)} bytes{'' if self.alive else ' gone'}"


class Maker:
    """Lines that occur once, of all kinds."""

    def __init__(self, rng):
        self.rng = rng

    def line(self, inc):
        inc.lines += 1
        rng, who = self.rng, f"{inc.number}.{inc.lines}"
        kind = rng.random()
        padding = rng.randbytes(rng.choice((2, 20, 60, 200))).hex() + "+" * rng.randrange(100)
        if inc.source == "raw":
            text = f"{who} {padding}".encode() if kind < 0.9 else f"{who} ".encode() + rng.randbytes(60).replace(
                b"\n", b"n").replace(b"\r", b"r")
        elif kind < 0.9:
            text = json.dumps({"id": who, "h": f"{rng.randrange(6):02}", "p": padding}).encode()
        elif kind < 0.94:
            text = f"bad {who} {padding}".encode()
        elif kind < 0.96:
            text = b"\xff\xfe" + f"{who} {padding}".encode()
        else:
            text = f'["{who}"]'.encode()
        if kind > 0.995:
            text = f"long {who} ".encode() + b"x" * rng.randrange(LINE_MAX, 5 * LINE_MAX)
        return text + rng.choice((b"\n",) * 8 + (b"\r\n", b"\n\n", b"\n \t\n"))

    def text(self, inc, size):
        """About `size` bytes of whole lines."""
        out = bytearray()
        while len(out) < size:
            out += self.line(inc)
        return bytes(out)


class Torture:
    def __init__(self, folder, seed, seconds, *, say=print, prefix=()):
        self.rng, self.say, self.prefix = random.Random(seed), say, prefix
        self.pipe = Pipeline(folder)
        self.make = Maker(self.rng)
        self.files, self.process = [], None
        self.stopped = self.limited = self.full = False
        self.backup = self.pipe.folder / "backup"
        self.aside = self.pipe.folder / "aside"
        self.aside.mkdir()
        self.disk = self.own_disk()
        self.end = time.monotonic() + seconds
        self.written = self.serial = 0
        self.restored_at = None
        self.did = Counter()
        self.partitions = self.rng.randrange(1, 4)
        self.generation = 1
        self.pipe.set(broker={"partitions": self.partitions}, rescan="200ms",
                      jobs={"attempts_max": 1000, "void_after": "3s"}, log={"level": "debug"})
        self.configure()

    # ---- the program ----

    def own_disk(self):
        """State and output on a disk of their own that can be filled, where we may make one; else None."""
        disk = self.pipe.folder / "disk"
        disk.mkdir()
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(disk)], capture_output=True)
        if made.returncode:
            return None
        self.pipe.out, self.pipe.state = disk / "out", disk / "state"
        self.pipe.set(state=str(self.pipe.state)).output(url=f"file://{self.pipe.out}")
        return disk

    def done(self):
        """Ends what is left of a torture, whatever its outcome."""
        if self.running():
            self.process.kill()
            self.process.wait()
        if self.disk:
            subprocess.run(["umount", "-l", str(self.disk)], check=True)

    def fill_disk(self):
        """No room for some time, for what runs and for what starts."""
        if not self.disk or self.full:
            return
        for _ in range(20):  # it may grow between the two looks
            used = shutil.disk_usage(self.disk).used
            if self.resize(f"{used // KIBI + self.rng.choice((4, 16, 64, 500))}k"):
                self.full = self.limited = True
                return

    def free_disk(self):
        if self.full:
            assert self.resize(DISK)
            self.full = False

    def resize(self, size):
        return subprocess.run(["mount", "-o", f"remount,size={size}", str(self.disk)],
                              capture_output=True).returncode == 0

    def configure(self):
        rng = self.rng
        self.pipe.settings["sources"] = []
        shared = dict(close_after=rng.choice(("1500ms", "3s")), rotated_after=rng.choice(("1500ms", "2s")),
                      stripe_bytes=rng.choice(("4KiB", "16KiB", "64KiB", "1MiB")), max_line_bytes=LINE_MAX)
        self.pipe.source("app", "*.ndjson*", time_field=None, **shared)
        self.pipe.source("raw", "*.raw*", "raw", **shared)
        size = rng.choice((64, 128, 512))
        self.pipe.output(partition="src={source}/h={h}", format=rng.choice(("jsonl.zst", "jsonl.gz")),
                         level=rng.randrange(1, 6), block_bytes="64KiB", object_bytes=f"{size}KiB",
                         seal_bytes_max=f"{size * rng.randrange(1, 5)}KiB", flush=rng.choice(("50ms", "500ms", "2s")))
        self.pipe.set(lanes=rng.randrange(1, 5), generation=self.generation)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def start(self):
        if self.running():
            return
        self.check_end()
        rng = self.rng
        if rng.random() < 0.5:
            self.configure()
        limit = rng.random() < (0.02 if self.disk else 0.1)
        self.limited = self.full or limit
        log = open(self.pipe.folder / "run.log", "ab")
        command = [*self.prefix, os.environ["SLUICE_BINARY"], "run", str(self.pipe.write_config())]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        preexec_fn=file_size_limit(rng.choice((64, 256, 1024)) * KIBI)
                                        if limit else None)
        log.close()

    def check_end(self, expected=(OK,)):
        """A run that nobody ended must not have ended, except for a full disk."""
        if self.process is None:
            return
        code = self.process.wait(timeout=120)
        self.process, self.stopped = None, False
        if code in (-signal.SIGKILL, -signal.SIGHUP, *expected) or self.limited and code in (LIMIT, BUSY):
            return
        raise AssertionError(f"sluice run ended with {code}\n{self.log_tail()}")

    def log_tail(self, size=3000):
        log = self.pipe.folder / "run.log"
        lines = [l for l in log.read_text(errors="replace").splitlines() if "level=debug" not in l]
        return "\n".join(lines)[-size:]

    def resume(self):
        if self.stopped and self.running():
            self.process.send_signal(signal.SIGCONT)
        self.stopped = False

    def kill(self):
        if self.running():
            self.process.kill()
        self.check_end()

    def drain(self):
        self.resume()
        if self.full:  # it would wait for room with what is under way
            return self.kill()
        if self.running():
            time.sleep(0.05)  # before main() it has no handler yet
            self.process.send_signal(signal.SIGTERM)
            self.check_end((OK, -signal.SIGTERM))

    def stop(self):
        self.kill() if self.rng.random() < 0.7 else self.drain()

    def freeze(self):
        if self.running():
            self.process.send_signal(signal.SIGSTOP)
            self.stopped = True

    def hang_up(self):
        if self.running() and time.monotonic() - self.started > 0.5:
            self.process.send_signal(signal.SIGHUP)

    def save(self):
        self.stop()
        self.free_disk()
        shutil.rmtree(self.backup, ignore_errors=True)
        if self.pipe.state.exists():
            shutil.copytree(self.pipe.state, self.backup)

    def restore(self):
        """Only where all that has won is in manifested batches: of what is not, the queue that is set back may lack
        messages, and the program says so and stops."""
        if not self.backup.exists():
            return
        self.stop()
        self.free_disk()
        if all(f["outstanding"] == 0 for f in self.status()):
            shutil.rmtree(self.pipe.state)
            shutil.copytree(self.backup, self.pipe.state)
            self.restored_at = (self.pipe.folder / "run.log").stat().st_size

    def audit(self):
        """Of a state that was put back the audit says that it is behind, until a run has recovered it."""
        self.stop()
        if self.restored_at is not None:
            with open(self.pipe.folder / "run.log", "rb") as log:
                log.seek(self.restored_at)
                if b"the ledger is recovered" not in log.read():
                    return
            self.restored_at = None
        self.free_disk()
        self.pipe.ask("audit", check=OK)

    def raise_generation(self):
        if self.rng.random() < 0.3:
            self.stop()
            self.look()
            self.generation += 1
            self.configure()
            shutil.rmtree(self.backup, ignore_errors=True)

    # ---- the files ----

    def alive(self):
        return [f for f in self.files if f.alive]

    def pick(self):
        alive = self.alive()
        return self.rng.choice(alive[-8:]) if alive and self.rng.random() < 0.97 else self.create()

    def name(self, source):
        self.serial += 1
        return self.pipe.inputs / f"{'f' if self.rng.random() < 0.7 else 'job'}{self.serial}.{source_suffix(source)}"

    def create(self, path=None):
        source = "raw" if path is None and self.rng.random() < 0.3 or path and ".raw" in path.name else "app"
        inc = Incarnation(source, path or self.name(source))
        inc.path.touch(exist_ok=False)
        self.files.append(inc)
        return inc

    def write(self, inc, text):
        """Appends; where the last line has no end then, it may become a line of its own."""
        if self.written + len(text) > TOTAL_BYTES_MAX:
            return
        self.written += len(text)
        with open(inc.path, "ab", buffering=0) as out:
            out.write(text)
        inc.data += text
        if not text.endswith(b"\n"):
            inc.cuts.append(len(inc.data))

    def append(self):
        inc = self.pick()
        self.write(inc, self.make.text(inc, self.rng.choice((1, 300, 3000, 30000))))

    def append_much(self):
        inc = self.pick()
        self.write(inc, self.make.text(inc, self.rng.randrange(MEBI // 4, 3 * MEBI)))

    def append_broken_off(self):
        """A line in parts, with a pause between them; or never ended."""
        inc, rng = self.pick(), self.rng
        text = self.make.line(inc)
        if rng.random() < 0.1:
            text = f"{inc.number}.{inc.lines} ".encode() + b"y" * rng.randrange(60 * KIBI, 200 * KIBI) + b"\n"
        places = sorted({rng.randrange(1, len(text)) for _ in range(rng.randrange(1, PARTS_MAX))})
        places = [p for p in places if text[p - 1:p] not in b"\r\n" and text[p:p + 1] not in b"\r\n"]
        last = 0
        for place in places:
            self.write(inc, text[last:place])
            last = place
            time.sleep(rng.choice((0, 0.01, 0.3)))
        if rng.random() < 0.9:
            self.write(inc, text[last:])

    def fill_to_stripe(self):
        """Ends a file's size near a border of the grid, within a line."""
        inc = self.pick()
        grid = 4 * KIBI
        want = grid - len(inc.data) % grid + self.rng.randrange(-3, 4)
        if want < 30:
            return
        text, line = b"", self.make.line(inc)
        while len(text) + len(line) <= want - 30:
            text, line = text + line, self.make.line(inc)
        who = f"{inc.number}.{inc.lines} ".encode()  # of the line that did not fit: no other line is like it
        self.write(inc, text + who + b"z" * (want - len(text) - len(who)))

    def rename(self):
        inc = self.pick()
        if inc.path.parent != self.pipe.inputs:  # a symlink's target has a name of its own elsewhere
            return
        old, self.serial = inc.path, self.serial + 1
        new = old.with_name(f"{old.name.split('.')[0]}.{source_suffix(inc.source)}.{self.serial}")
        old.rename(new)
        inc.path = new
        if self.rng.random() < 0.7:
            self.create(old)

    def look(self):
        """Remembers what is durable, as `status` tells it."""
        by_uri = {}
        for f in self.status():
            by_uri.setdefault(f["uri"], []).append(f)
        for inc in self.alive():
            found = by_uri.get(f"file://{inc.path}", [])
            if len(found) == 1:  # of two incarnations under one name nobody can tell which is which
                # Less is a sum, of which nobody can tell where it lies. And the entry may still be that of a file that had
                # this name before: few lines may be as long as few others.
                if found[0]["durable"] == len(inc.data) > DURABLE_BYTES_MIN:
                    inc.durable[self.generation] = len(inc.data)

    def wait_durable(self, inc):
        """Mostly the actor lets the program see a file before it takes it away."""
        if self.rng.random() < 0.5 or not self.running() or self.stopped or self.limited:
            return
        end = time.monotonic() + self.rng.choice((0.2, 1, DURABLE_WAIT_S))
        while time.monotonic() < end and self.running():
            self.look()
            if inc.durable.get(self.generation, 0) >= len(inc.data):
                return
            time.sleep(0.2)

    def lose(self, inc):
        inc.alive, inc.gone_in = False, self.generation

    def delete(self):
        inc = self.pick()
        self.wait_durable(inc)
        inc.path.unlink()
        self.lose(inc)
        if self.rng.random() < 0.3:
            self.create(inc.path)

    def truncate(self):
        """What copytruncate does; the copy lies where no pattern looks."""
        inc = self.pick()
        self.wait_durable(inc)
        fresh = Incarnation(inc.source, inc.path)
        shutil.copy(inc.path, self.aside / "copy")
        with open(inc.path, "r+b") as f:
            f.truncate(0)
        self.lose(inc)
        self.files.append(fresh)
        if self.rng.random() < 0.7:
            self.write(fresh, self.make.text(fresh, self.rng.choice((1, 3000, 30000, len(inc.data)))))

    def replace(self):
        """Another file is moved over it."""
        inc = self.pick()
        self.wait_durable(inc)
        fresh = Incarnation(inc.source, inc.path)
        path, fresh.path = fresh.path, self.aside / f"new-{fresh.number}"
        fresh.path.touch()
        self.write(fresh, self.make.text(fresh, self.rng.choice((1, 3000, 30000))))
        fresh.path.rename(path)
        fresh.path = path
        self.lose(inc)
        self.files.append(fresh)

    def link(self):
        """A second name of the same file: nothing may come twice. Symbolic or hard."""
        inc = self.pick()
        self.serial += 1
        second = self.pipe.inputs / f"link{self.serial}.{source_suffix(inc.source)}"
        os.symlink(inc.path, second) if self.rng.random() < 0.5 else os.link(inc.path, second)

    def switch_link(self):
        """A matching symlink points to another file from now on; the old one cannot be found any more."""
        link = self.pipe.inputs / "current.ndjson"
        fresh = Incarnation("app", self.aside / f"target-{self.serial}-{len(self.files)}")
        fresh.path.touch()
        self.files.append(fresh)
        self.write(fresh, self.make.text(fresh, self.rng.choice((1, 3000))))
        if link.is_symlink():
            old = Path(os.readlink(link))
            link.unlink()
            for inc in self.alive():  # whatever was written over the target, too
                if inc.path == old:
                    self.lose(inc)
        link.symlink_to(fresh.path)

    ACTS = [(append, 40), (append_much, 4), (append_broken_off, 12), (fill_to_stripe, 8), (create, 5), (rename, 6),
            (delete, 3), (truncate, 4), (replace, 2), (link, 1), (switch_link, 2), (kill, 8), (drain, 2), (freeze, 4),
            (hang_up, 4), (fill_disk, 2), (save, 1), (restore, 1), (audit, 1), (raise_generation, 1)]

    def act(self):
        acts, weights = zip(*self.ACTS)
        act = self.rng.choices(acts, weights)[0]
        self.did[act.__name__] += 1
        self.say_debug(act.__name__)
        act(self)

    def say_debug(self, text):
        with open(self.pipe.folder / "acts.log", "a") as out:
            out.write(f"{time.time():.3f} {text}\n")

    # ---- the end ----

    def run(self):
        self.started = time.monotonic()
        while time.monotonic() < self.end:
            if not self.running():
                self.start()
                self.started = time.monotonic()
            elif self.stopped and self.rng.random() < 0.3:
                self.resume()
            if self.full and self.rng.random() < 0.1:
                self.free_disk()
            self.act()
            time.sleep(self.rng.choice((0, 0, 0.005, 0.05, 0.3)))
        self.free_disk()
        self.drain()
        self.quiet()
        self.drain()
        self.settle()
        self.verify()
        self.say(f"{self.written / MEBI:.0f} MiB in {len(self.files)} files, generation {self.generation}; "
                 + ", ".join(f"{n} {k}" for k, n in sorted(self.did.items())))

    def quiet(self):
        """Left alone, a run that watches converts everything, and closes what nobody writes to."""
        self.start()
        while self.limited:
            self.kill()
            self.start()
        end = time.monotonic() + QUIET_S
        while True:
            if not self.running():
                self.check_end(())
            behind = self.behind()
            if (self.pipe.state / "ledger.sqlite").exists() and not behind:
                return
            assert time.monotonic() < end, f"left behind for {QUIET_S} s: {behind[:9]}\n{self.log_tail()}"
            time.sleep(0.3)

    def behind(self):
        """Files that are there and that no entry of `status` calls converted. Earlier files of the same name stay listed,
        and a file with several names has any of them."""
        entries = {}
        for f in self.status():
            path = os.path.realpath(f["uri"].removeprefix("file://"))
            entries.setdefault((path, f["size"]), []).append(f)
        asked = ((inc, entries.get((os.path.realpath(inc.path), len(inc.data)), [])) for inc in self.alive())
        return [inc for inc, found in asked if found and all(f["done"] < f["size"] for f in found)]

    def status(self):
        if not (self.pipe.state / "ledger.sqlite").exists():
            return []
        done = sluice("status", "--config", self.pipe.config_path, "--json")
        return json.loads(done.stdout)["files"] if done.returncode == OK else []

    def settle(self):
        """--once to the end; then once more, and nothing changes. Code 1 says that bytes were lost, as some were."""
        for _ in range(2):
            before = readers.files_on_disk(self.pipe.out)
            done = sluice(*self.run_words(), "--once", timeout=240)
            assert done.returncode in (OK, NO), done.stderr.decode(errors="replace")[-3000:]
        assert readers.files_on_disk(self.pipe.out) == before, "a run without new input made objects"

    def run_words(self):
        return ("run", self.pipe.write_config())

    def verify(self):
        self.pipe.ask("audit", "--deep", check=OK)
        listed = {o["key"] for kind in (False, True) for o in readers.objects(self.pipe.out, rejects=kind)}
        assert readers.files_on_disk(self.pipe.out) == listed, "objects without a manifest, or the other way round"
        self.pipe.ask("status")
        troubles = []
        for generation in range(1, self.generation + 1):
            troubles += self.verify_generation(generation)
        assert not troubles, f"{len(troubles)} lines: " + "\n".join(troubles[:12])

    def verify_generation(self, generation):
        found = Counter(line_key(line) for line in readers.lines(self.pipe.out, generation))
        found += Counter(reject_key(r) for r in self.rejects(generation))
        troubles = []
        # Pieces of two lines may be alike: those that have to be there are taken first.
        for inc in sorted(self.files, key=lambda inc: not inc.alive):
            whole = inc.alive and generation == self.generation
            durable = len(inc.data) if whole else inc.durable.get(generation, 0)
            for line in lines_of(inc):
                missing = take(found, inc, line, durable)
                if missing:
                    troubles.append(f"g{generation} {inc!r}: {missing} at {line[0]}..{line[1]}: "
                                    f"{bytes(inc.data[line[0]:line[1]])[:100]}")
        troubles += [f"g{generation}: {n} too many: {key[:120]}" for key, n in (+found).items()]
        return troubles

    def rejects(self, generation):
        for listed in readers.objects(self.pipe.out, rejects=True, generation=generation):
            for line in readers.lines_of(self.pipe.out / listed["key"]):
                yield json.loads(line)


def source_suffix(source):
    return "raw" if source == "raw" else "ndjson"


def line_key(text):
    return text if len(text) <= LINE_MAX else b"LONG %d " % len(text) + text[:64]


def reject_key(reject):
    raw = reject.get("raw")
    text = base64.b64decode(reject["raw_base64"]) if raw is None else raw.encode()
    return b"LONG %d " % reject["length"] + text[:64] if reject["length"] > LINE_MAX else text


def lines_of(inc):
    """(from, to, end of the text) of each line that is not blank."""
    at, data = 0, inc.data
    while at < len(data):
        newline = data.find(b"\n", at)
        to = len(data) if newline < 0 else newline + 1
        yield at, to, to if newline < 0 else newline
        at = to


def take(found, inc, line, durable):
    """Takes a line out of what was found, whole or in the parts that were on disk alone. Tells what is wrong, or None."""
    at, to, end = line
    cuts = [c for c in inc.cuts if at < c < end]
    for n in range(len(cuts) + 1):
        for chosen in itertools.combinations(cuts, n):
            if take_pieces(found, inc, at, chosen, end):
                return None
    if to <= durable:
        return "lost"
    for n in range(len(cuts) + 1):  # of a file that is gone its beginning may be there
        for chosen in itertools.combinations(cuts, n):
            if chosen and take_pieces(found, inc, at, chosen[:-1], chosen[-1]):
                return None
    return None


def take_pieces(found, inc, at, cuts, end):
    keys = []
    for to in (*cuts, end):
        text = bytes(inc.data[at:to])
        if to == end and text.endswith(b"\r") and inc.data[to:to + 1] == b"\n":
            text = text[:-1]
        if text.strip(b" \t\r"):
            keys.append(line_key(text))
        at = to
    need = Counter(keys)
    if any(found[k] < n for k, n in need.items()):
        return False
    found.subtract(need)
    return True


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seed", type=int, default=None)
    options.add_argument("--minutes", type=float, default=1.0)
    options.add_argument("--folder", default=None, help="an empty folder to work in; kept when something is wrong")
    options.add_argument("--keep", action="store_true")
    given = options.parse_args()
    seed = random.SystemRandom().getrandbits(32) if given.seed is None else given.seed
    folder = Path(given.folder or tempfile.mkdtemp(prefix="torture-"))
    folder.mkdir(parents=True, exist_ok=True)
    print(f"seed {seed} in {folder}", flush=True)
    torture = Torture(folder, seed, given.minutes * 60)
    try:
        torture.run()
    except BaseException:
        print(f"FAILED: seed {seed}, folder {folder}", flush=True)
        if torture.disk:
            shutil.copytree(torture.disk, folder / "disk-copy")
        raise
    finally:
        torture.done()
    if not given.keep:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
