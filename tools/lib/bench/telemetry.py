# SPDX-License-Identifier: Apache-2.0
"""The converter telemetry beside the independent implementation in Python, both on the same framed file."""
import gzip
import json
import random
import struct
import subprocess
import sys
from pathlib import Path
from statistics import median

import child
from inputs import Input
from targets import table

ROOT = Path(__file__).resolve().parents[3]
DATA, ORACLE = ROOT / "tests/data/telemetry", ROOT / "tests/e2e/histogram_oracle.py"
PINGS = ("main.4.sample.pass.json.zst", "main.4.gc_sample.pass.json.zst")
KINDS = {0: "exponential", 1: "linear", 2: "boolean", 3: "flag", 4: "count", 5: "categorical"}
RECORDS, TIMES_MIN = 400, 20
NOTE = """400 framed records: two real main pings, as gzip and (the smaller one) as they are, and the histograms of the first as pings of
version 1; by the schema's dimensions. The oracle converts the same file, and writes its records to one file. CPU is user and system time."""


def unpacked(name):
    return json.loads(subprocess.run(["zstd", "-dcq", DATA / name], check=True, capture_output=True).stdout)


def definition(histogram):
    count = histogram["bucket_count"]
    return {"kind": KINDS[histogram["histogram_type"]], "low": histogram["range"][0], "high": histogram["range"][1],
            "n_buckets": count, "n_values": count - 1}


def framed(uuid, data):
    path = f"{uuid}/main/Firefox/60.0/release/2018".encode()
    return b"\x1e" + struct.pack("<HIQ", len(path), len(data), 1385000000000) + path + data


def make_input(folder):
    """The file and the folder of definitions, as they come out alike each time."""
    definitions, path, r = folder / "telemetry-definitions", folder / "in/telemetry.log", random.Random(1)
    definitions.mkdir(exist_ok=True)
    pings = [unpacked(name) for name in PINGS]
    for ping in pings:
        spec = {name: definition(h) for name, h in ping["payload"]["histograms"].items()}
        (definitions / (ping["payload"]["info"]["revision"].rsplit("/", 1)[1] + ".json")).write_text(json.dumps(spec))
    info = {"revision": pings[0]["payload"]["info"]["revision"], "appName": "Firefox", "reason": "idle-daily"}
    old = {"ver": 1, "info": info, "histograms": pings[0]["payload"]["histograms"]}
    texts = [json.dumps(value, separators=(",", ":")).encode() for value in (*pings, old)]
    forms = [gzip.compress(texts[0]), texts[1], texts[2], gzip.compress(texts[2])]
    path.write_bytes(b"".join(framed(f"{r.getrandbits(128):032x}", forms[i % len(forms)]) for i in range(RECORDS)))
    return Input(path, path.stat().st_size, RECORDS), definitions


def bench(options, pipelines, targets):
    given, definitions = make_input(options.folder)
    given.warm()
    schema, scratch, oracle, own = DATA / "telemetry_schema.json", options.folder / "oracle.log", [], []
    source = ["converter: telemetry", f"telemetry: {{definitions: {definitions}, schema: {schema}}}"]
    for _ in range(options.runs):
        oracle.append(child.run([sys.executable, ORACLE, "convert", given.path, "--specs", definitions, "--schema", schema], scratch).cpu)
        own.append(pipelines.make("{schema}", 1, given.path, source=source).once(RECORDS).cpu)
    ratio = median(oracle) / median(own)
    targets.at_least("converter telemetry: per CPU second, to the oracle", ratio, TIMES_MIN)
    rows = [("telemetry", f"{given.bytes / 1e6:.1f}", f"{given.bytes / median(own) / 1e6:.1f}", f"{given.bytes / median(oracle) / 1e6:.2f}",
             f"{ratio:.1f}")]
    table("Telemetry", ("", "MB", "MB/CPU s", "oracle MB/CPU s", "times"), rows, NOTE)
