# SPDX-License-Identifier: Apache-2.0
"""demo_query: asks DuckDB what is in an output folder, and compares its count with the lines of the input.

Needs nothing of sluice: the objects are NDJSON in zstd, the folders are Hive partitions.
"""
import sys
from pathlib import Path

import duckdb

out, inputs = Path(sys.argv[1]), Path(sys.argv[2])
# Only what the query asks for, so that DuckDB need not guess types.
READ = "read_json('{}', format='newline_delimited', hive_partitioning=true, columns={})"
DATA = READ.format(out / "g1/**/*.jsonl.zst", "{time: 'VARCHAR', status: 'INTEGER', bytes: 'BIGINT'}")
REJECTS = READ.format(out / "_rejects/g1/**/*.jsonl.zst", "{reason: 'VARCHAR'}")

QUERY = f"""
    select source, dt, hour, count(*) filter (status < 300) as ok, count(*) filter (status between 300 and 399) as moved,
           count(*) filter (status >= 400) as failed, round(sum(bytes) / 1e9, 2) as gigabytes
    from {DATA} group by all order by source, dt, hour limit 20"""


def count_lines(path):
    with open(path, "rb") as stream:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(1 << 20), b"")) + ends_open(path)


def ends_open(path):
    """1 when the last line has no newline: it is a line all the same."""
    data = path.read_bytes()[-1:] if path.stat().st_size < 1 << 20 else b"\n"
    return int(data not in (b"", b"\n"))


def main():
    print(duckdb.sql(QUERY))
    records = duckdb.sql(f"select count(*) from {DATA}").fetchall()[0][0]
    rejected = duckdb.sql(f"select reason, count(*) from {REJECTS} group by all order by all").fetchall() if any(
        out.glob("_rejects/g1/**/*.jsonl.zst")) else []
    lines = sum(count_lines(p) for p in inputs.iterdir() if not p.name.startswith("."))
    found = records + sum(n for _, n in rejected)
    why = ", ".join(f"{reason}: {n}" for reason, n in rejected)
    print(f"input {lines} lines = output {records} records + rejects {found - records} ({why})")
    if found != lines:
        print(f"NOT EQUAL: {found} of {lines}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
