# SPDX-License-Identifier: Apache-2.0
"""Each converter beside bare zstd on the same input in the same run. The inputs are one invented access log, written in
each format."""
import csv
import json
import subprocess
from statistics import median

import child
from inputs import Input, access_log
from measured import HOUR
from targets import table

LEVEL = 1
COMPRESSED = """CPU of converting raw lines of compressed input, beside that of the tool (`gzip -dc`) plus that of the plain file. A file\nis decoded twice: once to know where it ends."""
TIME = "time: {field: time, format: rfc3339}"
NOTE = """MB are 10^6 bytes of input; CPU is user and system time of the whole process. Records by hour where the lines have a
time. `to zstd`: input per CPU second beside zstd -1 -T1 of the same input; what is compressed is JSON with a key for
each value, and so more than the input for most of these."""


def write_csv(records, out, delimiter=","):
    writer = None
    for record in records:
        if writer is None:
            writer = csv.DictWriter(out, record, delimiter=delimiter, lineterminator="\n")
            writer.writeheader()
        writer.writerow(record)


def write_delimited(records, out):
    out.writelines("|".join(str(value) for value in record.values()) + "\n" for record in records)


def write_logfmt(records, out):
    for record in records:
        pairs = ((key, json.dumps(value) if " " in str(value) else value) for key, value in record.items())
        out.write(" ".join(f"{key}={value}" for key, value in pairs) + "\n")


PATTERN = (r'^(?<remote>\S+) (?<ident>\S+) (?<user>\S+) \[(?<when>[^\]]+)\] "(?<method>\S+) (?<path>[^"]*) (?<protocol>[^" ]+)" '
           r'(?<status>\d+) (?<bytes>\d+) "(?<referer>[^"]*)" "(?<agent>[^"]*)"$$')
def write_syslog(records, out):
    out.writelines(f"<14>1 {r['time']} {r['tenant']} nginx 812 access [req@32473 id=\"{r['request_id']}\" status=\"{r['status']}\"] "
                   f"{r['method']} {r['path']} {r['bytes']} {r['user_agent']}\n" for r in records)


def container_text(record):
    return (f"{record['remote_addr']} {record['method']} {record['path']} {record['status']} {record['bytes']} {record['referer']} "
            f"{record['user_agent']} {record['request_id']}")


def write_cri(records, out):
    out.writelines(f"{r['time']} stdout F {container_text(r)}\n" for r in records)


def write_cri_parts(records, out):
    """Every line in two parts, and the other stream's in between: more joining than any runtime makes."""
    for out_record, err_record in zip(records, records):
        halves = [(stream, r["time"], container_text(r)) for stream, r in (("stdout", out_record), ("stderr", err_record))]
        out.writelines(f"{time} {stream} P {text[:80]}\n" for stream, time, text in halves)
        out.writelines(f"{time} {stream} F {text[80:]}\n" for stream, time, text in halves)


def write_docker(records, out):
    for r in records:
        line = {"log": container_text(r) + "\n", "stream": "stdout", "time": r["time"]}
        out.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")


SCRIPT = """\
function convert(line)
  local remote, when, method, path, status, bytes = line:match('^(%S+) %S+ %S+ %[([^%]]+)%] "(%S+) (%S+)[^"]*" (%d+) (%d+)')
  if not remote then return nil, "no access log" end
  return {remote = remote, when = when, method = method, path = path, status = tonumber(status), bytes = tonumber(bytes)}
end
"""
COLUMNS = '[time, remote, method, path, status, bytes, referer, agent, seconds, id, country, tenant]'
TYPES = "types: {status: integer, bytes: integer, request_time: number, seconds: number}"
# name, that of the converter first: (how the input is written or None for make_logs' own form, lines of the source's configuration, partition, target)
CONVERTERS = {
    "raw": ("ndjson", [], "", 0.95),
    "ndjson": ("ndjson", [TIME], HOUR, 0.85),
    "combined": ("combined", [], HOUR, 0.5),
    "csv": (write_csv, [TIME, TYPES], HOUR, 0.6),
    "tsv": (lambda records, out: write_csv(records, out, "\t"), [TIME, TYPES], HOUR, 0.6),
    "delimited": (write_delimited, [TIME, TYPES, f'table: {{separator: "|", header: none, columns: {COLUMNS}}}'], HOUR, None),
    "syslog": (write_syslog, [], HOUR, None),
    "cri": (write_cri, [], HOUR, 0.5),
    "cri-parts": (write_cri_parts, [], HOUR, 0.5),
    "cri-docker": (write_docker, [], HOUR, 0.5),
    "lua": ("combined", ["time: {field: when, format: clf}", "lua: {file: ../../access.lua}"], HOUR, None),
    "logfmt": (write_logfmt, [TIME, TYPES], HOUR, None),
    "regex": ("combined", ["time: {field: when, format: clf}", "types: {status: integer, bytes: integer}",
                           f"regex: {{pattern: '{PATTERN}'}}"], HOUR, None),
}


def pack(given, tool):
    """The same input, compressed."""
    path = given.path.with_suffix(f".{tool}")
    if not path.exists():
        part = path.with_suffix(".part")
        with open(part, "wb") as out:
            subprocess.run([tool, "-c", given.path], stdout=out, check=True)
        part.rename(path)
    return Input(path, path.stat().st_size, given.lines)


def bench_compressed(options, log, pipelines):
    """Raw lines out of compressed input, beside what decompressing it and converting it plain take together."""
    rows, scratch = [], options.folder / "zstd.log"
    for tool in ("gzip", "zstd"):
        plain, packed = log.warm(), pack(log, tool).warm()
        apart, own = [], []
        for _ in range(options.runs):
            raw = ["converter: raw"]
            apart.append(child.run([tool, "-dc", packed.path], scratch).cpu + pipelines.make("", LEVEL, plain.path, source=raw).once(log.lines).cpu)
            own.append(pipelines.make("", LEVEL, packed.path, source=raw).once(log.lines).cpu)
        ratio = median(own) / median(apart)
        rows.append((tool, f"{packed.bytes / 1e6:.0f}", f"{median(own):.2f}", f"{median(apart):.2f}", f"{ratio:.2f}"))
    table("Compressed input", ("", "MB", "CPU s", "-dc and plain CPU s", "times"), rows, COMPRESSED)


def make_input(options, log, name, writer):
    if writer == "ndjson":
        return log
    if isinstance(writer, str):
        return access_log(options, log.bytes, writer)
    path = options.folder / "in" / f"{name}-{log.bytes}.log"
    if not path.exists():
        part = path.with_suffix(".part")
        with open(log.path, encoding="utf-8") as lines, open(part, "w", encoding="utf-8", newline="") as out:
            writer((json.loads(line) for line in lines), out)
        part.rename(path)
    with open(path, "rb") as file:
        count = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    return Input(path, path.stat().st_size, count)


def bench(options, log, pipelines, targets):
    (options.folder / "access.lua").write_text(SCRIPT)
    rows, scratch = [], options.folder / "zstd.log"
    for name, (writer, source, partition, target) in CONVERTERS.items():
        if name not in options.converters:
            continue
        given = make_input(options, log, name, writer).warm()
        bare, own = [], []
        for _ in range(options.runs):
            bare.append(child.run(["zstd", f"-{LEVEL}", "-T1", "-q", "-c", given.path], scratch).cpu)
            own.append(pipelines.make(partition, LEVEL, given.path, source=[f"converter: {name.split('-')[0]}", *source]).once(given.lines).cpu)
        ratio = median(bare) / median(own)
        rows.append((name, f"{given.bytes / 1e6:.0f}", f"{given.bytes / median(own) / 1e6:.0f}",
                     f"{given.bytes / median(bare) / 1e6:.0f}", f"{ratio:.2f}"))
        if target:
            targets.at_least(f"converter {name}: per CPU second, to zstd -T1", ratio, target)
    if rows:
        table("Converters", ("", "MB", "MB/CPU s", "zstd MB/CPU s", "to zstd"), rows, NOTE)
    if "compressed" in options.converters:
        bench_compressed(options, log, pipelines)
