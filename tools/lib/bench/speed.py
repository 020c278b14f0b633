# SPDX-License-Identifier: Apache-2.0
"""Speed beside the zstd tool, and where the time goes."""
from statistics import median

import child
from measured import COUNTRY, HOUR, TENANT
from targets import table

KINDS = {"by hour, in order": (HOUR, 0.85), "by 24 countries": (COUNTRY, 0.75), "by 2,000 tenants": (TENANT, None)}
STAGES = (("read", 'sluice_lane_cpu_seconds_total{stage="read"}'),
          ("convert", 'sluice_lane_cpu_seconds_total{stage="convert"}'),
          ("compress", 'sluice_lane_cpu_seconds_total{stage="compress"}'),
          ("append", 'sluice_lane_cpu_seconds_total{stage="append"}'),
          ("advance", 'sluice_lane_cpu_seconds_total{stage="advance"}'),
          ("index", 'sluice_uploader_cpu_seconds_total{stage="spool"}'),
          ("verdict", 'sluice_uploader_cpu_seconds_total{stage="verdict"}'),
          ("join", 'sluice_uploader_cpu_seconds_total{stage="join"}'),
          ("put", 'sluice_uploader_cpu_seconds_total{stage="put"}'),
          ("durable", 'sluice_uploader_cpu_seconds_total{stage="durable"}'))
AIM = 1.0
NOTE = """Input: {bytes:.0f} MB of access log as NDJSON, in the page cache. Medians of {runs} interleaved rounds. MB are 10^6 bytes
of input; CPU is user and system time of the whole process, from the kernel. zstd writes to /dev/null; sluice parses,
partitions, checksums, and writes each byte of output twice (spool and object), durably. `of zstd`: input per CPU second
as a share of what zstd -T1 did in the same round, and the lowest and highest share of all rounds. On a machine that
others use both get slower, and not alike: many short rounds (--bytes 256MiB --runs 15) say more than few long ones."""


def measure(log, level, pipelines, runs, scratch):
    """{name: [Cost]} of `runs` rounds, each of every command."""
    costs = {}
    for _ in range(runs):
        for name in ("-T1", "-T2"):
            command = ["zstd", f"-{level}", name, "-q", "-c", log.path]
            costs.setdefault(f"zstd -{level} {name}", []).append(child.run(command, scratch))
        for name, (partition, _) in KINDS.items():
            costs.setdefault(name, []).append(pipelines.make(partition, level, log.path).once(log.lines))
    return costs


def show_speed(log, level, costs, targets, runs):
    rows, bare = [], costs[f"zstd -{level} -T1"]
    for name, list_of in costs.items():
        shares = sorted(theirs.cpu / ours.cpu for theirs, ours in zip(bare, list_of))
        cpu, wall = median(cost.cpu for cost in list_of), median(cost.wall for cost in list_of)
        rows.append((name, f"{log.bytes / cpu / 1e6:.0f}", f"{log.bytes / wall / 1e6:.0f}", f"{median(shares):.2f}",
                     f"{shares[0]:.2f} - {shares[-1]:.2f}",
                     f"{median(cost.user for cost in list_of):.2f}", f"{median(cost.system for cost in list_of):.2f}",
                     f"{wall:.2f}", f"{max(cost.memory for cost in list_of) / 2**20:.0f}"))
        target = KINDS.get(name, (None, None))[1]
        if target:
            targets.at_least(f"speed, level {level}, {name}: share of zstd -{level} -T1 per CPU second", median(shares), target, aim=AIM)
    table(f"Speed at level {level}", ("", "MB/CPU s", "MB/s", "of zstd", "lowest - highest", "user s", "system s", "wall s", "MiB"), rows,
          NOTE.format(bytes=log.bytes / 1e6, runs=runs))


def show_stages(log, level, costs):
    rows = []
    for name in KINDS:
        list_of, cells, known = costs[name], [], 0.0
        for _, metric in STAGES:
            seconds = median(cost.metrics[metric] for cost in list_of)
            known += seconds
            cells.append(f"{seconds * 1e9 / log.bytes:.3f}")
        whole = median(cost.cpu for cost in list_of)
        rows.append((name, *cells, f"{max(whole - known, 0) * 1e9 / log.bytes:.3f}", f"{whole * 1e9 / log.bytes:.3f}"))
    table(f"Stages at level {level}, CPU ns per byte of input", ("", *(name for name, _ in STAGES), "rest", "all"), rows,
          "read to advance: lanes and committer; index to durable: uploaders; rest: emitter, fdatasync, start and end.")


def bench(options, log, pipelines, targets):
    for level in options.levels:
        costs = measure(log, level, pipelines, options.runs, options.folder / "zstd.log")
        show_speed(log, level, costs, targets, options.runs)
        show_stages(log, level, costs)
