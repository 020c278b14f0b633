# SPDX-License-Identifier: Apache-2.0
"""check_style: what clang-format and clang-tidy do not check of how the code is written.

For every C file of common/, services/ and tests/:
  - its first line names the licence;
  - a header's second line is `name: what it is for`;
  - a function has at most 70 lines, a file at most 400; what is longer stands in style_ratchet.txt with its reason and
    the length it may have, and must not grow; an entry that is no longer needed has to go;
  - of the functions of common/ and services/, the median has at most 25 lines and at most 3% have more than 70.
Relies on the layout that clang-format gives: a function's body ends with the next `}` in the first column.
"""
import re
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RATCHET = ROOT / "tests/lib/style_ratchet.txt"
FUNCTION_LINES_MAX, FILE_LINES_MAX, MEDIAN_MAX, LONG_SHARE_MAX = 70, 400, 25, 0.03
LICENCE = "/* SPDX-License-Identifier: Apache-2.0 */"
# How a definition begins; and its name, which may stand in parentheses: `enum rc(why_set)(…)`.
STARTS = re.compile(r"(?!typedef\b)[A-Za-z_][^=]*?\(")
NAME = re.compile(r"(?:\w+\((\w+)\)|([A-Za-z_]\w*))\(")


def functions(lines):
    """(name, number of lines) of each function, from its first line to its closing brace."""
    start, in_body = None, False
    for number, line in enumerate(lines):
        if start is None and STARTS.match(line):
            start, in_body = number, False
        if start is None:
            continue
        in_body = in_body or "{" in line
        if in_body and (line.startswith("}") or (start == number and line.rstrip().endswith("}"))):
            found = NAME.search(lines[start])
            yield (found.group(1) or found.group(2) if found else "?"), number - start + 1
            start = None
        elif not in_body and line.rstrip().endswith(";"):
            start = None  # a declaration


def read_ratchet():
    """{what: allowed lines}; a row is `path[:function] lines reason`."""
    allowed = {}
    for row in RATCHET.read_text().splitlines():
        if row.strip() and not row.startswith("#"):
            what, lines, reason = row.split(None, 2)
            assert reason, f"{what}: a row needs its reason"
            allowed[what] = int(lines)
    return allowed


def check_head(path, lines, complain):
    if path.suffix in (".c", ".h") and lines[:1] != [LICENCE]:
        complain(f"{path}:1: the first line is not {LICENCE}")
    if path.suffix == ".h" and (len(lines) < 2 or not lines[1].startswith(f"/* {path.stem}: ")):
        complain(f"{path}:2: a header opens with `/* {path.stem}: what it is for`")


def check_length(what, lines, limit, allowed, complain):
    """True when `what` needs its row in the ratchet."""
    if lines <= limit:
        return False
    if lines > allowed.get(what, limit):
        complain(f"{what}: {lines} lines, at most {allowed.get(what, limit)}")
    return True


def main():
    problems, needed, lengths, allowed = [], set(), [], read_ratchet()
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "common", "services", "tests"], cwd=ROOT,
                           check=True, capture_output=True, text=True).stdout.split()
    paths = [Path(n) for n in names if n.endswith((".c", ".h", ".cc")) and (ROOT / n).exists()]
    for path in paths:
        lines = (ROOT / path).read_text().splitlines()
        check_head(path, lines, problems.append)
        if check_length(str(path), len(lines), FILE_LINES_MAX, allowed, problems.append):
            needed.add(str(path))
        if path.suffix == ".h":
            continue
        for name, length in functions(lines):
            if path.parts[0] != "tests":
                lengths.append(length)
            if check_length(f"{path}:{name}", length, FUNCTION_LINES_MAX, allowed, problems.append):
                needed.add(f"{path}:{name}")
    problems += [f"style_ratchet.txt: {what} is no longer needed" for what in sorted(set(allowed) - needed)]
    median = statistics.median(lengths)
    share = sum(n > FUNCTION_LINES_MAX for n in lengths) / len(lengths)
    if median > MEDIAN_MAX:
        problems.append(f"the median function has {median} lines, at most {MEDIAN_MAX}")
    if share > LONG_SHARE_MAX:
        problems.append(f"{share:.1%} of the functions have more than {FUNCTION_LINES_MAX} lines")
    print("\n".join(problems))
    print(f"{len(paths)} files, {len(lengths)} functions, median {median}, {share:.1%} above {FUNCTION_LINES_MAX} lines")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
