# SPDX-License-Identifier: Apache-2.0
"""Promise: framed telemetry becomes what the independent implementation (histogram_oracle.py) makes of it: the same
records as JSON values, integers as integers, each in the folder of its dimensions; what is damaged costs itself alone,
with its place; and every byte of a file is in exactly one record or reject, however the file grew."""
import gzip
import json
import random
import struct
import time
from collections import Counter

import pytest
import zstandard

import histogram_oracle as oracle
from pipeline import DATA, DENIED, OK, sluice, wait_for
from readers import records

TELEMETRY = DATA / "telemetry"
REVISIONS = ("8d3810543edc", "a55c55edf302", "ad0ae007aa9e")
URL = "https://hg.mozilla.org/mozilla-central/rev/%s"
DAY = 1385000000000


def unpacked(name):
    return zstandard.ZstdDecompressor().decompressobj().decompress((TELEMETRY / name).read_bytes())


def definitions(pipe):
    folder = pipe.folder / "definitions"
    folder.mkdir(exist_ok=True)
    for revision in REVISIONS:
        (folder / f"{revision}.json").write_bytes(unpacked(f"{revision}.json.zst"))
    return folder


def framed(data, path=b"a-uuid/idle-daily/Firefox/28.0/nightly/20131112", ms=DAY, v2=False):
    head = b"\x1e" + (bytes([9]) if v2 else b"") + struct.pack("<HIQ", len(path), len(data), ms)
    return head + (b"127.0.0.1" if v2 else b"") + path + data


class Pings:
    """Random ones, most of them valid."""

    def __init__(self, seed, folder):
        self.r = random.Random(seed)
        self.specs = {rev: json.loads((folder / f"{rev}.json").read_bytes()) for rev in REVISIONS}
        self.bounds = {}
        for rev, spec in self.specs.items():
            for name, definition in spec.items():
                try:
                    self.bounds[rev, name] = oracle.bounds(definition)
                except (oracle.SpecError, ValueError, ZeroDivisionError):
                    pass
        self.names = {rev: [n for r, n in self.bounds if r == rev] for rev in REVISIONS}

    def histogram(self, rev, name):
        r, bounds = self.r, self.bounds[rev, name]
        keys = r.sample(bounds, min(len(bounds), r.randrange(6)))
        h = {"values": {str(k): r.choice((0, 1, 7, 2**31, 2**63, 10**25, -4)) for k in keys}, "range": [1, 2]}
        for summary in oracle.SUMMARY:
            if r.random() < 0.7:
                h[summary] = r.choice((0, 5, 2.5, 1e300, -1, "x", None, True, 123456789012345678901))
        damage = r.random()
        if damage < 0.002:
            h["values"][r.choice(("12abc", "-5", "999999999", "1.0", ""))] = 1
        elif damage < 0.004:
            h["values"][str(bounds[0])] = r.choice((True, 1.0, "1", None, [1]))
        elif damage < 0.005:
            h.pop("values")
        elif damage < 0.03:
            h["values"] = {f" +{k}" if int(k) >= 0 else k: v for k, v in h["values"].items()}
        return h

    def histograms(self, rev):
        names = self.r.sample(self.names[rev], self.r.randrange(12))
        made = {(f"STARTUP_{n}" if self.r.random() < 0.1 else n): self.histogram(rev, n) for n in names}
        if self.r.random() < 0.3:
            made["NO_SUCH_HISTOGRAM"] = self.r.choice(({}, 1, {"values": {"x": "y"}}))
        return made

    def info(self, rev):
        r = self.r
        info = {"reason": r.choice(("idle-daily", "saved-session", "bogus")), "appName": r.choice(("Firefox", "Fennec", "X")),
                "appUpdateChannel": r.choice(("nightly", "release", "esr/../..")), "appBuildID": r.choice(("2013", "a b", "..", "é")),
                "appVersion": r.choice(("28.0", "../../etc", "_x"))}
        if r.random() < 0.2:
            info.pop(r.choice(list(info)))
        if rev:
            info["revision"] = URL % rev + r.choice(("", "/"))
        return info

    def ping(self):
        r, rev = self.r, self.r.choice(REVISIONS)
        kind = r.randrange(12)
        extra = {"simpleMeasurements": {"a": 1.0, "b": 12345678901234567890123, "c": [1e5, -0.0, {"d": "\u2028\u0001é😀"}]},
                 "keyedHistograms": {"K": {"x": {"values": {"q": 1}}}}}
        if kind < 6:
            return {"ver": 1, **extra, "info": self.info(rev), "histograms": self.histograms(rev)}
        if kind == 6:
            return {"ver": r.choice((2, 5)), "info": self.info(None), **extra}
        if kind == 7:
            made = {"ver": 3, "pingID": "p", "deviceinfo.update_channel": "nightly", "deviceinfo.platform_version": "28.0", **extra}
            return {**made, "info": {"x": 1}} if r.random() < 0.5 else made
        if kind == 8:
            return r.choice(({"ver": 9, "info": {}}, {"ver": 1}, {}, {"ver": 1.0, "info": {}}, {"version": 6, "type": "main"},
                             {"ver": 1, "info": self.info(rev)}, {"ver": 1, "info": {}, "histograms": {}},
                             {"ver": 1, "info": {"revision": URL % "00ff"}, "histograms": {}},
                             {"ver": 1, "info": {"revision": "missing"}, "histograms": {}},
                             {"version": 4, "type": "", "application": {}, "payload": {}},
                             {"version": 4, "type": "main", "application": {}, "payload": {"info": {}}}))
        app = {"name": "Firefox", "version": "60.0", "buildId": "2018", "channel": r.choice(("release", None)), "vendor": "Mozilla",
               "architecture": "x86-64", "extra": 1}
        kind = r.choice(("main", "saved-session", "crash"))
        payload = {"info": {"revision": URL % rev, "reason": "daily"}, "histograms": self.histograms(rev), **extra}
        return {"type": kind, "version": 4, "application": app, "payload": payload, "id": "x"}

    def data(self):
        r = self.r
        text = json.dumps(self.ping(), ensure_ascii=r.random() < 0.5, indent=r.choice((None, None, 1))).encode("utf-8", "surrogatepass")
        damage = r.random()
        if damage < 0.02:
            text = text[:r.randrange(len(text))]
        elif damage < 0.04:
            at = r.randrange(len(text))
            text = text[:at] + r.choice((b"\xff", b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0\x80")) + text[at:]
        elif damage < 0.05:
            text = b'{"ver":1,' + text[1:]  # a key that stands twice
        if r.random() < 0.3:
            text = gzip.compress(text)
            damage = r.random()
            if damage < 0.03:
                text = text[:r.randrange(2, len(text))]
            elif damage < 0.06:
                at = r.randrange(10, len(text))
                text = text[:at] + bytes([text[at] ^ 1]) + text[at + 1:]
            elif damage < 0.1:
                text += b"\0" * 5
        return text

    def file(self, count, v2=False):
        r, out = self.r, []
        for i in range(count):
            out.append(framed(self.data(), f"uuid-{i}/idle-daily/Firefox".encode(), DAY + r.randrange(5) * 86400000, v2))
            damage = r.random()
            if damage < 0.02:
                out.append(bytes(r.randrange(256) for _ in range(r.randrange(1, 60))))
            elif damage < 0.03:
                out.append(b"\x1e" * r.randrange(1, 5))
            elif damage < 0.035:
                out[-1] = out[-1][:r.randrange(len(out[-1]))]
            elif damage < 0.04:
                out.append(b"\x1e\xff\xff" + b"\xff" * 12)
        return b"".join(out)


def by_oracle(data, folder, v2=False, schema=None):
    """[(uuid, ping, dimensions)], and how many rejects of whole records."""
    specs, made, refused = oracle.Specs(folder), [], 0
    for record in oracle.unpack(data, v2):
        if record["error"]:
            refused += record["error"].startswith("inflate")
            continue
        date = time.strftime("%Y%m%d", time.gmtime(record["ts"] // 1000))
        try:
            ping = oracle.convert_ping(specs, json.loads(record["data"].decode("utf-8", "replace")))
        except (oracle.BadPayload, oracle.SpecError, ValueError):
            refused += 1
            continue
        made.append((record["path"].split("/", 1)[0], ping, oracle.dims(schema, ping["info"], date) if schema else None))
    return made, refused


def exact(value):
    """Tells 1 from 1.0 and from True, which == does not; nothing of the order of keys."""
    return json.dumps(value, sort_keys=True)


def folder_of(dimension):
    """One folder: mapped as the format says, '/' too, and what a folder cannot be called encoded."""
    text = oracle.safe(dimension).replace("/", "_")
    if text in (".", ".."):
        return text.replace(".", "%2E")
    return {"_": "%5F", ".": "%2E"}[text[0]] + text[1:] if text[0] in "_." else text


def telemetry(pipe, folder, partition="", source=None, **settings):
    pipe.settings["output"]["partition"] = partition
    pipe.settings["sources"] = []
    pipe.source(pattern="**", converter="telemetry", telemetry={"definitions": str(folder), **settings}, **(source or {}))


def got(pipe):
    """[(folders, uuid, JSON)]"""
    return [(path.split("/", 1)[1].rsplit("/", 1)[0], *line.split(b"\t", 1)) for path, line in records(pipe.out)]


def rejects_of(pipe):
    return [json.loads(line) for line in pipe.ask("rejects", "--json").stdout.splitlines()]


@pytest.mark.parametrize("v2", (False, True))
def test_thousands_of_records_are_those_of_the_oracle(pipe, v2):
    folder = definitions(pipe)
    pings = Pings(11 + v2, folder)
    schema = json.loads((TELEMETRY / "telemetry_schema.json").read_bytes())
    (pipe.folder / "schema.json").write_text(json.dumps(schema))
    telemetry(pipe, folder, "{schema}", schema="schema.json", framing="v2" if v2 else "v1")
    expected, refused, total = Counter(), 0, 0
    for n in range(4):
        data = pings.file(1000, v2)
        pipe.file(f"{n}.log", data)
        made, bad = by_oracle(data, folder, v2, schema)
        refused, total = refused + bad, total + len(data)
        expected.update((uuid, exact(ping), "/".join(map(folder_of, dims))) for uuid, ping, dims in made)
    pipe.run_once()
    found = Counter((uuid.decode(), exact(json.loads(line)), path) for path, uuid, line in got(pipe))
    assert sum(expected.values()) > 1500 and refused > 20
    assert found == expected
    rejects = rejects_of(pipe)
    assert sum(r["reason"] != "frame" for r in rejects) == refused
    assert {"frame", "json", "ping", "definition", "inflate"} <= {r["reason"] for r in rejects}
    pipe.ask("audit", "--deep", check=OK)


def test_bytes_that_are_no_record_are_rejects_with_their_place(pipe):
    folder = definitions(pipe)
    good = framed(b'{"ver":2,"info":{}}')
    parts = [b"noise\n", good, b"\x1e\x1e\n", good, b"\x1e" + b"\xff" * 20, good, good[:-3]]
    telemetry(pipe, folder)
    pipe.file("a.log", b"".join(parts))
    pipe.run_once()
    places, at = [], 0
    for part in parts:
        if part != good:
            places.append((at, len(part)))
        at += len(part)
    assert len(got(pipe)) == 3
    assert sorted((r["offset"], r["length"]) for r in rejects_of(pipe)) == places
    assert {r["reason"] for r in rejects_of(pipe)} == {"frame"}


def test_a_file_that_grows_in_pieces_is_read_as_if_it_had_been_there_at_once(pipe):
    folder = definitions(pipe)
    data = Pings(5, folder).file(300)
    made, _ = by_oracle(data, folder)
    telemetry(pipe, folder, emit="json")
    pipe.set(rescan="100ms")
    r = random.Random(3)
    path, at = pipe.inputs / "grows.log", 0
    with pipe.start() as running:
        with open(path, "ab", buffering=0) as out:
            while at < len(data):
                step = r.choice((1, 7, 500, 20000, 90000))
                out.write(data[at:at + step])
                at += step
                time.sleep(0.02)
        running.drain()
    pipe.run_once()
    expected = Counter(exact({"uuid": uuid, **ping}) for uuid, ping, _ in made)
    assert Counter(exact(json.loads(line)) for _, line in records(pipe.out)) == expected
    pipe.ask("audit", "--deep", check=OK)


@pytest.mark.parametrize("name", ("main.4.sample.pass.json.zst", "main.4.gc_sample.pass.json.zst"))
def test_real_pings(pipe, name):
    ping = json.loads(unpacked(name))
    kinds = {0: "exponential", 1: "linear", 2: "boolean", 3: "flag", 4: "count", 5: "categorical"}
    spec = {n: {"kind": kinds[h["histogram_type"]], "low": h["range"][0], "high": h["range"][1], "n_buckets": h["bucket_count"],
                "n_values": h["bucket_count"] - 1} for n, h in ping["payload"]["histograms"].items()}
    folder = pipe.folder / "definitions"
    folder.mkdir()
    (folder / (ping["payload"]["info"]["revision"].rsplit("/", 1)[1] + ".json")).write_text(json.dumps(spec))
    data = framed(gzip.compress(json.dumps(ping).encode()), b"real/main")
    made, refused = by_oracle(data, folder)
    telemetry(pipe, folder, "{schema}", schema=str(TELEMETRY / "telemetry_schema.json"))
    pipe.file("real.log", data)
    pipe.run_once()
    assert not refused and len(made) == 1
    [(path, uuid, line)] = got(pipe)
    assert (uuid, exact(json.loads(line))) == (b"real", exact(made[0][1]))
    assert path.split("/")[0] == "main"


def test_definitions_that_cannot_be_read_keep_their_file_waiting_and_no_other(pipe):
    folder = definitions(pipe)
    (folder / "ab12.json").write_text("{ is no JSON")
    ping = {"ver": 1, "info": {"revision": URL % "ab12"}, "histograms": {"A": {"values": {"1": 2}}}}
    telemetry(pipe, folder)
    pipe.output(flush="200ms", partition="").set(rescan="100ms")
    pipe.file("waits.log", framed(json.dumps(ping).encode(), b"waits/x"))
    with pipe.start() as running:
        time.sleep(0.5)
        pipe.file("other.log", framed(b'{"ver":2,"info":{}}', b"other/x"))
        wait_for("the other file", lambda: b"other" in b"".join(line for _, line in records(pipe.out)))
        (folder / "ab12.json").write_text('{"A":{"kind":"flag"}}')
        running.drain()
    pipe.run_once()
    assert sorted(uuid for _, uuid, _ in got(pipe)) == [b"other", b"waits"]
    assert not rejects_of(pipe)


def test_a_bomb_is_a_reject_and_an_identifier_is_kept_once(pipe):
    folder = definitions(pipe)
    telemetry(pipe, folder, emit="json", max_inflated="100KiB", source={"dedupe": {"key": ["uuid"], "window": "1d"}})
    ping = b'{"ver":2,"info":{},"uuid":"own"}'
    pipe.file("a.log", framed(gzip.compress(b'{"ver":2,"info":{},"x":"' + b"a" * 200000 + b'"}')) + framed(ping) * 3)
    pipe.run_once()
    assert [json.loads(line) for _, line in records(pipe.out)] == [{"uuid": "a-uuid", "ver": 2, "info": {}, "uuid_2": "own"}]
    assert [r["reason"] for r in rejects_of(pipe)] == ["limit"]


def test_try_shows_each_record(pipe):
    folder = definitions(pipe)
    telemetry(pipe, folder, "{schema}", schema=str(TELEMETRY / "telemetry_schema.json"))
    pipe.file("a.log", b"noise" + framed(b'{"ver":2,"info":{"appName":"Firefox","appVersion":"../x"}}'))
    done = sluice("try", pipe.write_config(), pipe.inputs / "a.log", check=OK)
    assert b"reject: frame: bytes between records" in done.stdout
    assert b"OTHER/Firefox/OTHER/.._x/UNKNOWN/20131121" in done.stdout.replace(b"%2E", b".")


@pytest.mark.parametrize("settings, source, partition, words", [
    ({"definitions": "none"}, {}, "", r"definitions: .*none cannot be read"),
    ({"schema": "none.json"}, {}, "", r"schema: .*none.json cannot be read"),
    ({}, {}, "{schema}", r'needs the key "telemetry.schema"'),
    ({"schema": "bad.json"}, {}, "", r"telemetry.schema: has no list"),
    ({"emit": "xml"}, {}, "", r"v2log, json"),
    ({}, {"where": "a = 1"}, "", r"means nothing to telemetry"),
    ({}, {"max_line_bytes": "1KiB"}, "", r"256KiB"),
    ({}, {"encoding": "utf-16"}, "", r"encoding: is for lines of text"),
])
def test_mistakes_are_told(pipe, settings, source, partition, words):
    import re
    folder = definitions(pipe)
    (pipe.folder / "bad.json").write_text("{}")
    telemetry(pipe, settings.pop("definitions", folder), partition, source, **settings)
    done = sluice("check", pipe.write_config(), check=DENIED)
    assert re.search(words, done.stderr.decode() + done.stdout.decode())
