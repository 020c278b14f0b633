# SPDX-License-Identifier: Apache-2.0
"""readers: what is in an output folder, read without any code of sluice, and compared with the input.

A line stands for itself: multisets of lines are compared, so that a lost line, a doubled one and a changed one are all
seen. To hold millions of lines, a multiset counts 64-bit hashes.
"""
import base64
import gzip
import io
import json
import re
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

import zstandard

BOM = b"\xef\xbb\xbf"


def manifests(out, generation=None):
    """Every manifest, oldest first within its queue partition."""
    for path in sorted(Path(out).glob("_manifests/*/*/*/*.json")):
        manifest = json.loads(path.read_bytes())
        if generation is None or f"/g{generation}/" in str(path.relative_to(out)):
            yield manifest


def objects(out, rejects=False, generation=None):
    """The objects that the manifests list, as they stand there (key, records, bytes, …)."""
    return [o for m in manifests(out, generation) for o in m["objects"] if bool(o.get("rejects")) == rejects]


def files_on_disk(out):
    """Keys of all data objects that lie in the folder, listed or not."""
    out = Path(out)
    return {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()
            and (p.relative_to(out).parts[0][0] not in "._" or p.relative_to(out).parts[0] == "_rejects")}


def lines_of(path):
    """The lines of one object without their newline. Every object ends with a newline."""
    opened = gzip.open(path, "rb") if str(path).endswith(".gz") else zstandard.ZstdDecompressor().stream_reader(
        open(path, "rb"), read_across_frames=True, closefd=True)
    with opened as stream:
        last = b"\n"
        for last in io.BufferedReader(stream, 1 << 20):
            yield last[:-1] if last.endswith(b"\n") else last
        assert last.endswith(b"\n"), f"{path}: its last line has no newline"


def records(out, generation=None):
    """(key, line) for every record of every listed object; their numbers are those of the manifests."""
    for listed in objects(out, generation=generation):
        count = 0
        for line in lines_of(Path(out) / listed["key"]):
            count += 1
            yield listed["key"], line
        assert count == listed["records"], f"{listed['key']}: {count} records, the manifest says {listed['records']}"


def lines(out, generation=None):
    return [line for _, line in records(out, generation)]


def rejects(out, generation=None):
    """Every reject, its `raw` as bytes in `bytes`."""
    found = []
    for listed in objects(out, rejects=True, generation=generation):
        for line in lines_of(Path(out) / listed["key"]):
            reject = json.loads(line)
            raw = reject.get("raw")
            reject["bytes"] = base64.b64decode(reject["raw_base64"]) if raw is None else raw.encode()
            found.append(reject)
    return found


def input_lines(path):
    """The lines of an input file that are to become records or rejects: no newline, no CR of a CRLF, none blank."""
    with open(path, "rb") as stream:
        for line in stream:
            if line.endswith(b"\n"):
                line = line[:-2] if line.endswith(b"\r\n") else line[:-1]
            if line.strip(b" \t\r"):
                yield line


def multiset(lines_):
    return Counter(map(hash, lines_))


def explain(expected, found, source):
    """A few of the lines that differ, for the failure's text."""
    missing, extra = expected - found, found - expected
    samples = [line for line in source if hash(line) in missing or hash(line) in extra][:3]
    return f"{missing.total()} lines are missing, {extra.total()} too many; such as {samples}"


def assert_each_line_once(out, paths, generation=None):
    """Every line of the input files is a record or a reject, once, byte for byte; nothing else is there, and no object
    lies in the folder that no manifest lists."""
    expected = Counter()
    for path in paths:
        expected += multiset(input_lines(path))
    found = multiset(line for _, line in records(out, generation))
    found += multiset(reject["bytes"] for reject in rejects(out, generation))
    if expected != found:
        everything = (line for source in ([lines(out)] + [input_lines(p) for p in paths]) for line in source)
        raise AssertionError(explain(expected, found, everything))
    if generation is None:
        listed = {o["key"] for kind in (False, True) for o in objects(out, rejects=kind)}
        assert files_on_disk(out) == listed, "objects without a manifest, or the other way round"


def assert_lines(out, expected, rejected=()):
    """The records are exactly `expected` and the rejects `(reason, bytes)` exactly `rejected`, in any order."""
    assert sorted(lines(out)) == sorted(expected)
    assert sorted((r["reason"], r["bytes"]) for r in rejects(out)) == sorted(rejected)


# Apache's combined format by the book, as a second opinion on the converter. Lines with escapes are left to the
# converter's own tests.
ACCESS = re.compile(
    r'^(\S+) (\S+) (\S+) \[([^\]]+)\] "(.*?)" (\d{3}) (\d+|-)(?: "(.*?)" "(.*?)")?$')


def access_fields(line):
    """A line of an access log as the values that its record must have, or None."""
    match = ACCESS.match(line)
    if not match:
        return None
    remote, ident, user, when, request, status, size, referer, agent = match.groups()
    moment = datetime.strptime(when, "%d/%b/%Y:%H:%M:%S %z").astimezone(timezone.utc)
    dash = lambda text: None if text == "-" else text
    return (remote, dash(ident), dash(user), moment, request, int(status), None if size == "-" else int(size),
            dash(referer), dash(agent))


def record_fields(line):
    """A record of the converter `combined` as the same values."""
    record = json.loads(line)
    moment = datetime.fromisoformat(record["time"]).astimezone(timezone.utc)
    request = record.get("request")
    if request is None:
        request = f'{record["method"]} {record["path"]} {record["protocol"]}'
    return (record["remote"], record["ident"], record["user"], moment, request, record["status"], record["bytes"],
            record.get("referer"), record.get("agent"))
