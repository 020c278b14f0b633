# SPDX-License-Identifier: Apache-2.0
"""The most memory that was resident, and, on a file of 10 GiB, how long the lanes had nothing to do."""
import re
import subprocess
import time
import urllib.request

import child
from measured import COUNTRY, HOUR, LANES, ONE, TENANT
from targets import table

KINDS = (("1 output", ONE), ("24 outputs", COUNTRY), ("2,000 outputs", TENANT))
ALLOWED_MIB = 192
IDLE_ALLOWED = 5
SCRAPE_S = 0.1
LISTEN = 'http: {listen: "127.0.0.1:0"}\n'


def bench(options, log, pipelines, targets, kinds=KINDS):
    rows = []
    for name, partition in kinds:
        cost = pipelines.make(partition, options.levels[0], log.path).once(log.lines)
        rows.append((f"{log.bytes / 2**30:.2f} GiB, {name}", f"{cost.memory / 2**20:.1f}", f"{cost.cpu:.2f}", f"{cost.wall:.2f}"))
        targets.at_most(f"memory, {log.bytes / 2**30:.2f} GiB, {name}", cost.memory / 2**20, ALLOWED_MIB, " MiB")
    table("Memory", ("", "MiB", "CPU s", "wall s"), rows,
          f"The most that was resident with {LANES} lanes, from the kernel (ru_maxrss).")


def port_of(log):
    for _ in range(600):
        found = re.search(r"msg=\"?listening.* port=(\d+)", log.read_text()) if log.exists() else None
        if found:
            return int(found[1])
        time.sleep(0.05)
    raise SystemExit(f"bench: sluice does not listen, see {log}")


def scrape(port):
    """The metrics now, or nothing when the process is ending."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            return child.parse_metrics(answer.read().decode())
    except OSError:
        return None


def waited(metrics):
    """Seconds in which a lane had no job, or had one and waited for the log or the ledger."""
    return metrics["sluice_lane_idle_seconds_total"] + metrics['sluice_lane_stage_seconds_total{stage="wait"}']


def watch_lanes(run, log):
    """Share of the lanes' time, from the first line won to the last, in which they waited."""
    with open(run.log, "w") as errors:
        started = time.monotonic()
        process = subprocess.Popen([str(part) for part in run.command("--once")], stderr=errors)
    port, first, last = port_of(run.log), None, None
    while (seen := scrape(port)) is not None:
        seen["at"] = time.monotonic()
        read = seen.get('sluice_bytes_read_total{source="access"}', 0)
        first = first or (seen if read else None)
        last = seen
        if read >= log.bytes:
            break
        time.sleep(SCRAPE_S)
    cost = child.finish(process, started, run.log)
    if not first or first is last:
        return cost, 0.0
    return cost, (waited(last) - waited(first)) / (LANES * (last["at"] - first["at"])) * 100


def bench_big(options, log, pipelines, targets):
    run = pipelines.make(HOUR, options.levels[0], log.path, LISTEN)
    cost, idle = watch_lanes(run, log)
    table("A large file, by hour", ("", "lanes idle %", "MiB", "CPU s", "wall s", "MB/s"),
          [(f"{log.bytes / 2**30:.2f} GiB", f"{idle:.2f}", f"{cost.memory / 2**20:.1f}", f"{cost.cpu:.2f}", f"{cost.wall:.2f}",
            f"{log.bytes / cost.wall / 1e6:.0f}")],
          "Idle: without a job, or waiting for the log or the ledger, from the first range won to the last.")
    targets.at_most(f"lanes idle, {log.bytes / 2**30:.2f} GiB, by hour", idle, IDLE_ALLOWED, " %")
    targets.at_most(f"memory, {log.bytes / 2**30:.2f} GiB, by hour", cost.memory / 2**20, ALLOWED_MIB, " MiB")
