# SPDX-License-Identifier: Apache-2.0
"""The benchmark that tools/bench starts."""
import argparse
import os
import pathlib
import re
import subprocess

import converters
import inputs
import memory
import rescan
import size
import speed
import telemetry
from measured import Pipelines
from targets import Targets

PARTS = ("speed", "converters", "size", "memory", "big", "rescan")
UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
BIG = 10 << 30


def number_of_bytes(text):
    found = re.fullmatch(r"(\d+)(KiB|MiB|GiB|)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text} is no size such as 256MiB")
    return int(found[1]) * UNITS[found[2]]


def parse():
    parser = argparse.ArgumentParser(prog="bench", add_help=False)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--make-logs", type=pathlib.Path, required=True)
    parser.add_argument("--sluice", type=pathlib.Path, required=True)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--big", action="store_true")
    parser.add_argument("--fleet", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--bytes", type=number_of_bytes)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--levels", type=lambda text: [int(level) for level in text.split(",")])
    parser.add_argument("--files", type=int)
    parser.add_argument("--converters", type=lambda text: text.split(","), default=[*converters.CONVERTERS, "compressed", "telemetry"])
    parser.add_argument("--only", type=lambda text: text.split(","), default=[])
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    for part in options.only:
        if part not in PARTS:
            parser.error(f"--only {part}: the parts are {', '.join(PARTS)}")
    options.bytes = options.bytes or (256 << 20 if options.short else 1 << 30)
    options.runs = options.runs or (1 if options.short else 5)
    options.levels = options.levels or ([1] if options.short else [1, 3])
    options.files = options.files or (20000 if options.short else 200000)
    options.size_partitions = 32 if options.short else 4096
    options.parts = options.only or [part for part in PARTS if part != "big" or options.big]
    return options


def show_machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "?")
    zstd = subprocess.run(["zstd", "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"v[\d.]+", zstd)
    print(f"{os.cpu_count()} CPUs ({model}), load {os.getloadavg()[0]:.1f}, zstd {version[0] if version else '?'}")


def main():
    options = parse()
    show_machine()
    pipelines, targets = Pipelines(options), Targets()
    log = inputs.access_log(options, options.bytes).warm()
    if options.fleet:
        import fleet_bench  # wants the servers and the readers of the tests
        fleet_bench.bench(options, log, targets)
        return targets.show()
    if "speed" in options.parts:
        speed.bench(options, log, pipelines, targets)
    if "converters" in options.parts:
        converters.bench(options, log, pipelines, targets)
        if "telemetry" in options.converters:
            telemetry.bench(options, pipelines, targets)
    if "size" in options.parts:
        size.bench(options, log, pipelines, targets)
    if "memory" in options.parts:
        memory.bench(options, log, pipelines, targets)
    if "big" in options.parts:
        big = inputs.access_log(options, BIG)
        memory.bench_big(options, big, pipelines, targets)
        memory.bench(options, big, pipelines, targets, memory.KINDS[::2])
    if "rescan" in options.parts:
        rescan.bench(options, pipelines, targets)
    pipelines.done()
    targets.show()


main()
