# SPDX-License-Identifier: Apache-2.0
"""Compressed size beside one stream of zstd over the same lines, partition by partition."""
import subprocess

from measured import COUNTRY, HOUR, METHOD, TENANT
from targets import table

KINDS = (("by hour", HOUR), ("by 24 countries", COUNTRY), ("by country and method", METHOD), ("by 2,000 tenants", TENANT))
LARGE = 10 << 20  # raw: the harder reading of "outputs of 10 MiB and more"
ALLOWED = 1.03


def one_stream(files, level):
    """Bytes of `zstd -LEVEL` over what the files hold, and how much that is."""
    script = 'zstd -dcq -- "$@" | tee >(wc -c >&2) | zstd -"$LEVEL" -T1 -qc | wc -c'
    done = subprocess.run(["bash", "-c", script, "bash", *map(str, files)], env={"LEVEL": str(level), "PATH": "/usr/bin:/bin"},
                          capture_output=True, check=True)
    return int(done.stdout), int(done.stderr)


def compare(objects, level, most):
    """[(ours, theirs, raw)], of at most `most` partitions, evenly chosen."""
    names = sorted(objects)
    names = names[:: max(1, len(names) // most)]
    found = []
    for name in names:
        theirs, raw = one_stream(objects[name], level)
        found.append((sum(file.stat().st_size for file in objects[name]), theirs, raw))
    return found


def bench(options, log, pipelines, targets):
    rows = []
    for level in options.levels:
        for name, partition in KINDS:
            run = pipelines.make(partition, level, log.path)
            run.once(log.lines)
            sizes = compare(run.objects(), level, options.size_partitions)
            ratios = sorted(ours / theirs for ours, theirs, _ in sizes)
            large = [ours / theirs for ours, theirs, raw in sizes if raw >= LARGE]
            whole = sum(ours for ours, _, _ in sizes) / sum(theirs for _, theirs, _ in sizes)
            rows.append((f"level {level}, {name}", len(sizes), f"{sum(raw for _, _, raw in sizes) / len(sizes) / 2**20:.1f}",
                         f"{sum(ours for ours, _, _ in sizes) / len(sizes) / 2**20:.2f}", f"{ratios[0]:.3f}", f"{whole:.3f}", f"{max(large):.3f} ({len(large)})" if large else "",
                         f"{ratios[-1]:.3f}"))
            if large:
                targets.at_most(f"size, level {level}, {name}: worst of {len(large)} outputs of 10 MiB raw and more, to one stream",
                                max(large), ALLOWED)
    table("Size", ("", "outputs", "raw MiB", "MiB", "best", "all", "worst of large ones", "worst"), rows,
          """Bytes of an output's objects, footers and seek tables included, as a multiple of `zstd -LEVEL -T1` over its lines in one
stream. raw MiB and MiB: of an output, on average. Large: 10 MiB raw and more, with how many there are.""")
