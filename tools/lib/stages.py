# SPDX-License-Identifier: Apache-2.0
"""stages: what tools/test runs, one class of work a function, and how it is counted and told.

A stage returns what passed and what failed. A stage that has nothing to run says so in its line; it is never silent,
and a tool that is missing is a failure.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / "build" / "log"
JOBS = str(os.cpu_count() or 2)
TAIL_LINES = 60
COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


@dataclass
class Result:
    passed: int = 0
    failed: int = 0
    note: str = ""
    broken: list = field(default_factory=list)  # names of what failed

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.broken += other.broken
        self.note = ", ".join(n for n in (self.note, other.note) if n)
        return self


class Log:
    """The whole output of a stage's commands, in a file under build/log."""

    def __init__(self, stage):
        self.path = LOGS / f"{stage}.log"
        self.path.write_bytes(b"")

    def run(self, *command, **environment):
        """Runs a command with its output in the log; gives its exit code."""
        command = [str(c) for c in command]
        with self.path.open("ab") as out:
            out.write(f"$ {' '.join(command)}\n".encode())
            out.flush()
            env = {**os.environ, **environment}
            done = subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        return done.returncode

    def tail(self):
        lines = self.path.read_text(errors="replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:])


def one(log, name, *command, **environment):
    """A command as one check."""
    if log.run(*command, **environment) == 0:
        return Result(passed=1)
    return Result(failed=1, broken=[name])


def build(log, preset, *targets):
    """Configures and builds; None when that worked, else the failed Result."""
    if log.run("cmake", "--preset", preset) != 0:
        return Result(failed=1, broken=[f"configuring {preset}"])
    command = ["cmake", "--build", ROOT / "build" / preset, "-j", JOBS]
    if targets:
        command += ["--target", *targets]
    if log.run(*command) != 0:
        return Result(failed=1, broken=[f"building {preset}"])
    return None


def count_junit(path):
    """The counts of a JUnit file of ctest or pytest. A test that did not run counts as failed: nothing is skipped."""
    result = Result()
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        bad = any(case.find(tag) is not None for tag in ("failure", "error", "skipped")) or case.get("status") in (
            "fail", "notrun", "disabled")
        if bad:
            result.failed += 1
            result.broken.append(case.get("name"))
        else:
            result.passed += 1
    return result


def ctest(log, preset, *selection, wrap=()):
    """Runs the tests of a built preset that `selection` names."""
    junit = LOGS / f"{log.path.stem}.xml"
    junit.unlink(missing_ok=True)
    command = [*wrap, "ctest", "--test-dir", ROOT / "build" / preset, "-j", JOBS, "--output-on-failure",
               "--no-tests=ignore", "--output-junit", junit, *selection]
    if OPTIONS.only:
        command += ["-R", OPTIONS.only]
    code = log.run(*command)
    result = count_junit(junit) if junit.exists() else Result()
    if code != 0 and not result.failed:
        result += Result(failed=1, broken=["ctest itself"])
    if code == 0 and not result.passed:
        result.note = "no test here yet"
    return result


# The labels that have a stage of their own; every other test belongs to the stage `unit`, so that none is lost.
OWN_LABELS = ("contract", "sim", "fuzz", "fleet")


def stage_format(log):
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.c", "*.h", "*.cc"], cwd=ROOT, check=True,
                           capture_output=True, text=True).stdout.split()
    files = [f for f in files if (ROOT / f).exists()]
    result = one(log, "clang-format", "clang-format-14", "--dry-run", "-Werror", *files)
    result.note = f"{len(files)} files"
    return result


def stage_shape(log):
    return one(log, "check_style.py", sys.executable, "tests/lib/check_style.py")


def stage_docs(log):
    return one(log, "check_docs.py", sys.executable, "tests/lib/check_docs.py")


def pytest(log, folder, **environment):
    """Runs the Python tests of a folder."""
    junit = LOGS / f"{log.path.stem}.xml"
    junit.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", folder, "-q", "--tb=short", "-p", "no:cacheprovider",
               f"--junitxml={junit}"]
    if OPTIONS.only:
        command += ["-k", OPTIONS.only]
    code = log.run(*command, **environment)
    result = count_junit(junit) if junit.exists() else Result()
    nothing_chosen = OPTIONS.only and code == 5
    if code != 0 and not result.failed and not nothing_chosen:
        result += Result(failed=1, broken=["pytest itself"])
    return result


def stage_model(log):
    """The protocol's model: what its own summary counts."""
    code = log.run(sys.executable, "docs/model/check")
    found = re.findall(r"^(\d+) passed, (\d+) failed$", log.path.read_text(errors="replace"), re.M)
    result = Result(*map(int, found[-1])) if found else Result()
    if code != 0 and not result.failed:
        result += Result(failed=1, broken=["docs/model/check"])
    return result


def stage_tools(log):
    return pytest(log, "tests/lib")


def stage_unit(log):
    return build(log, "dev") or ctest(log, "dev", "-LE", f"^({'|'.join(OWN_LABELS)})$")


def stage_contract(log):
    return build(log, "dev") or ctest(log, "dev", "-L", "^contract$")


def stage_sim(log):
    return build(log, "dev") or ctest(log, "dev", "-L", "^sim$")


def stage_fuzz(log):
    return build(log, "dev") or ctest(log, "dev", "-L", "^fuzz$")


def stage_clang(log):
    return build(log, "clang") or ctest(log, "clang", "-LE", "^(fuzz|fleet)$")


def stage_threads(log):
    """Only what has the label: TSan slows everything else for nothing."""
    if log.run("cmake", "--preset", "tsan") != 0:
        return Result(failed=1, broken=["configuring tsan"])
    listed = subprocess.run(["ctest", "--test-dir", ROOT / "build/tsan", "--show-only=json-v1", "-L", "^threads$"],
                            cwd=ROOT, check=True, capture_output=True, text=True).stdout
    targets = sorted({test["name"] for test in json.loads(listed)["tests"]})
    if not targets:
        return Result(note="no test has the label `threads` yet")
    # setarch -R: TSan cannot place its shadow where the kernel randomises more bits than it knows of.
    return build(log, "tsan", *targets) or ctest(log, "tsan", "-L", "^threads$", wrap=("setarch", "-R"))


def stage_tidy(log):
    failed = build(log, "clang")
    if failed:
        return failed
    result = one(log, "clang-tidy", sys.executable, "tools/lib/tidy.py", ROOT / "build/clang", "-j", JOBS)
    result.note = (re.findall(r"^tidy: (.*)$", log.path.read_text(errors="replace"), re.M) or [""])[-1]
    return result


def stage_release(log):
    failed = build(log, "release")
    return failed or Result(passed=1)


def stage_e2e(log):
    """The program as a user runs it; only where the tree has that program."""
    for part in ("services/report", "services/sluice"):
        if not (ROOT / part / "CMakeLists.txt").exists():
            return Result(note=f"{part} is not in the tree yet")
    failed = build(log, "release")
    if failed:
        return failed
    return pytest(log, "tests/e2e", SLUICE_BINARY=str(ROOT / "build/release/services/sluice/sluice"),
                  SLUICE_MAKE_LOGS=str(ROOT / "build/release/tests/lib/make_logs"))


def stage_fleet(log):
    """Against real servers: the contract suites of the adapters that need one, then the program as a fleet."""
    failed = build(log, "dev")
    if failed:
        return failed
    result = ctest(log, "dev", "-L", "^fleet$", wrap=(sys.executable, "tests/lib/servers.py", "all", "--"))
    if not any((ROOT / "tests/fleet").glob("test_*.py")):
        return result
    result += build(log, "release") or pytest(
        log, "tests/fleet", SLUICE_BINARY=str(ROOT / "build/release/services/sluice/sluice"),
        SLUICE_MAKE_LOGS=str(ROOT / "build/release/tests/lib/make_logs"))
    return result


# In this order: what fails fast comes first.
STAGES = {
    "format": ("clang-format", stage_format),
    "shape": ("lengths of functions and files", stage_shape),
    "docs": ("files that the documents name", stage_docs),
    "model": ("the protocol's model, with Spin", stage_model),
    "tools": ("the checks and the tools themselves", stage_tools),
    "unit": ("unit tests, gcc with ASan and UBSan", stage_unit),
    "contract": ("contract suites of the ports, the same build", stage_contract),
    "sim": ("simulation, the same build", stage_sim),
    "fuzz": ("fuzz corpora, the same build", stage_fuzz),
    "clang": ("all of these with clang, optimised", stage_clang),
    "threads": ("tests labelled threads, clang with TSan", stage_threads),
    "release": ("build with gcc, optimised", stage_release),
    "e2e": ("the program, end to end", stage_e2e),
    "fleet": ("adapters and the program on real servers", stage_fleet),
    "tidy": ("clang-tidy", stage_tidy),
}


def paint(code, text):
    return f"\x1b[{code}m{text}\x1b[0m" if COLOUR else text


def run_stage(name):
    title, function = STAGES[name]
    if COLOUR:
        print(f"  {name:<9} {title} …", end="\r", flush=True)
    log, start = Log(name), time.monotonic()
    try:
        result = function(log)
    except Exception as error:  # a stage that cannot even start is a failure like any other
        result = Result(failed=1, broken=[f"{type(error).__name__}: {error}"])
    seconds = time.monotonic() - start
    mark = paint("31", "FAIL") if result.failed else paint("32", "ok  ")
    counts = f"{result.passed} passed, {result.failed} failed"
    note = f"  ({result.note})" if result.note else ""
    print(f"{mark} {name:<9} {counts:<24} {seconds:6.1f} s  {title}{note}", flush=True)
    if result.failed:
        print(paint("31", f"  failed: {', '.join(str(b) for b in result.broken[:20])}"))
        print("  | " + log.tail().replace("\n", "\n  | "))
        print(f"  whole log: {log.path}", flush=True)
    return result


def main():
    wanted = OPTIONS.stages or list(STAGES)
    LOGS.mkdir(parents=True, exist_ok=True)
    start, total = time.monotonic(), Result()
    for name in STAGES:
        if name in wanted:
            result = run_stage(name)
            total.passed += result.passed
            total.failed += result.failed
    print(f"{len(wanted)} stages in {time.monotonic() - start:.0f} s")
    print(f"{total.passed} passed, {total.failed} failed")
    return 1 if total.failed else 0


def parse_options():
    parser = argparse.ArgumentParser(prog="tools/test")
    parser.add_argument("stages", nargs="*", metavar="STAGE")
    parser.add_argument("--only", metavar="REGEX")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--wants", metavar="STAGE")
    options = parser.parse_args()
    unknown = [s for s in options.stages if s not in STAGES]
    if unknown:
        parser.error(f"no stage {unknown[0]}; there are: {' '.join(STAGES)}")
    return options


if __name__ == "__main__":
    OPTIONS = parse_options()
    if OPTIONS.wants:  # only says whether that stage would run: what it needs is installed before
        sys.exit(0 if not OPTIONS.stages or OPTIONS.wants in OPTIONS.stages else 1)
    if OPTIONS.list:
        for stage, (what, _) in STAGES.items():
            print(f"{stage:<9} {what}")
        sys.exit(0)
    sys.exit(main())
