# SPDX-License-Identifier: Apache-2.0
"""What many files that do not change cost: memory a file, and CPU a scan beside `find -newer`."""
import os
import signal
import subprocess
import time
from statistics import median

import child
from memory import LISTEN, port_of, scrape
from measured import ONE
from targets import table

FOLDERS = 200
SCANS = 5
PER_FILE_ALLOWED = 256
CPU_ALLOWED = 3
LINE = b'{"time":"2026-03-01T00:00:00Z","n":%d}\n'
# Without receipts and idle closing: the files stay as they are, and only the scans are left to do.
EXTRA = LISTEN + "rescan: 1s\n"


def make_files(folder, count):
    done = folder / f".made-{count}"
    if done.exists():
        return
    for number in range(count):
        place = folder / f"{number % FOLDERS:03d}"
        if number < FOLDERS:
            place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.ndjson").write_bytes(LINE % number)
    done.touch()


def find_cpu(folder, scratch):
    reference = folder / ".reference"
    reference.touch()
    return median(child.run(["find", folder, "-newer", reference], scratch).cpu for _ in range(5))


def resident(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def scans(metrics):
    return metrics["sluice_scan_duration_seconds_count"]


def wait_for(port, true_of):
    while True:
        seen = scrape(port)
        if seen is None:
            raise SystemExit("bench: sluice ended while it was watched")
        if true_of(seen):
            return seen
        time.sleep(0.2)


def watch(run, converted):
    """Starts a run that watches, waits for SCANS scans after all is converted: (bytes resident, CPU seconds a scan)."""
    with open(run.log, "w") as errors:
        started = time.monotonic()
        process = subprocess.Popen([str(part) for part in run.command()], stderr=errors)
    port = port_of(run.log)
    first = wait_for(port, lambda seen: converted(seen) and scans(seen) >= 2)
    last = wait_for(port, lambda seen: scans(seen) >= scans(first) + SCANS)
    memory = resident(process.pid)
    os.kill(process.pid, signal.SIGTERM)
    child.finish(process, started, run.log)
    cpu = last["process_cpu_seconds_total"] - first["process_cpu_seconds_total"]
    return memory, cpu / (scans(last) - scans(first))


def bench(options, pipelines, targets):
    many, few = options.folder / "in" / f"files-{options.files}", options.folder / "in" / "files-1"
    make_files(many, options.files)
    make_files(few, 1)
    run = pipelines.make(ONE, 1, f"{many}/*/*.ndjson", EXTRA)
    once = run.once(options.files)
    memory, cpu = watch(run, lambda seen: True)
    base = pipelines.make(ONE, 1, f"{few}/*/*.ndjson", EXTRA)
    base.once(1)
    memory_base, cpu_base = watch(base, lambda seen: True)
    found = find_cpu(many, options.folder / "find.log")
    per_file, per_scan = (memory - memory_base) / options.files, cpu - cpu_base
    table(f"{options.files:,} files that do not change", ("", "MiB resident", "CPU s a scan"),
          [("first run, to the last receipt", f"{once.memory / 2**20:.1f}", f"{once.cpu:.2f} in all, {once.wall:.1f} s"),
           ("watched again", f"{memory / 2**20:.1f}", f"{cpu:.3f}"), ("the same with one file", f"{memory_base / 2**20:.1f}", f"{cpu_base:.3f}"),
           ("find -newer", "", f"{found:.3f}")],
          f"One line each, converted and closed before. A second process watches them; mean of {SCANS} scans.")
    targets.at_most(f"rescan, {options.files:,} files: memory a file", per_file, PER_FILE_ALLOWED, " B")
    targets.at_most(f"rescan, {options.files:,} files: CPU of a scan, to find", per_scan / found, CPU_ALLOWED)
