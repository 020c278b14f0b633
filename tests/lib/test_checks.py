# SPDX-License-Identifier: Apache-2.0
"""Promise: the checks of the code see what they are there for, and the tools start: what is green was looked at."""
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import check_docs  # noqa: E402
import check_style  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TOOLS = sorted(p for p in (ROOT / "tools").iterdir() if p.is_file())


def lengths(text):
    return dict(check_style.functions(text.splitlines()))


def test_functions_are_measured_from_their_first_line_to_their_brace():
    assert lengths("""\
static const char *one(int a) { return 0; }
RC two(struct a *a,
       struct b *b) {
    if (a) {
        b();
    }
    return 0;
}
int declared(int a,
             int b);
static const struct row rows[] = {
    {"a", call(1)},
};
struct s {
    int (*f)(void);
};
enum rc(why_three)(int a) {
}
""") == {"one": 1, "two": 7, "why_three": 2}


def test_a_function_and_a_file_that_are_too_long_are_found():
    problems = []
    assert check_style.check_length("f", 71, 70, {}, problems.append) and problems
    problems.clear()
    assert check_style.check_length("f", 71, 70, {"f": 71}, problems.append) and not problems
    check_style.check_length("f", 72, 70, {"f": 71}, problems.append)
    assert problems


@pytest.mark.parametrize("name,lines,bad", [
    ("a.c", [check_style.LICENCE], 0), ("a.c", ["#include <x>"], 1), ("a.h", [check_style.LICENCE, "/* a: for"], 0),
    ("a.h", [check_style.LICENCE, "/* b: for"], 1), ("a.h", [check_style.LICENCE], 1)])
def test_the_head_of_a_file_is_checked(name, lines, bad):
    problems = []
    check_style.check_head(Path(name), lines, problems.append)
    assert len(problems) == bad


def test_names_of_files_are_found_in_code_and_nowhere_else():
    text = "see a/b.c and `common/x.h`, `x.c`, `/etc/y.yaml`, `build/z.c`, `*.json`, `g<gen>/p.json`\n```\nservices/w.c\n```"
    assert sorted(check_docs.named(text)) == ["common/x.h", "services/w.c", "x.c"]


def test_the_code_map_of_a_design_names_files_with_or_without_extension():
    text = "# X\nscan.c\n\n## Code\n| file | what |\n|---|---|\n| a.h, a.c | x |\n| `b`, c_d | y |\n\n## Y\n| e.c | z |\n"
    assert check_docs.code_map(text) >= {"a", "b", "c_d"} and not {"scan", "e"} & check_docs.code_map(text)


def test_a_promise_without_its_test_is_found():
    table = "\n## What is guaranteed for your files\n| a | b |\n|---|---|\n"
    readme = table + "| it grows | x |\n| renamed | y |\n"
    whole = table + "| it grows | `tests/a.py::t` |\n| renamed | `tests/a.py::t` |\n"
    for proofs, found in ((whole, 0), (whole.replace("renamed", "moved"), 2), (whole.replace("`tests/a.py::t`", "", 1), 1)):
        problems = []
        check_docs.check_proofs(readme, proofs, problems.append)
        assert len(problems) == found, problems
    problems = []
    check_docs.check_tests("docs/PROOFS.md", set(), problems.append)
    assert problems and "not in the tree" in problems[0]


@pytest.mark.parametrize("tool", TOOLS, ids=lambda p: p.name)
def test_every_tool_explains_itself_from_any_folder(tool, tmp_path):
    done = subprocess.run([tool, "--help"], cwd=tmp_path, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0 and done.stdout.startswith(f"tools/{tool.name}"), done.stderr


@pytest.mark.parametrize("tool", TOOLS, ids=lambda p: p.name)
def test_every_tool_refuses_what_it_does_not_know(tool):
    done = subprocess.run([tool, "--no-such-option"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode != 0 and done.stderr


def test_test_runs_a_stage_from_any_folder_without_a_terminal_twice(tmp_path):
    for _ in range(2):
        done = subprocess.run([ROOT / "tools/test", "docs"], cwd=tmp_path, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == 0 and done.stdout.endswith("1 passed, 0 failed\n"), done.stdout + done.stderr
        assert "\x1b" not in done.stdout


def test_setup_asks_sudo_where_it_is_not_root(tmp_path):
    """A package is missing for a dpkg that knows none; sudo stands in the path and writes down what it was asked for."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, text in (("sudo", f'printf "%s " "$@" >>{tmp_path}/asked; exit 1'), ("dpkg-query", "exit 1"), ("id", "echo 1000")):
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    done = subprocess.run([ROOT / "tools/setup"], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env={"PATH": f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(tmp_path)})
    assert done.returncode != 0
    assert "-n" in (tmp_path / "asked").read_text().split(), "without a terminal it must never ask for a password"


def test_setup_lists_its_packages_once_each_and_test_has_more():
    lists = [subprocess.run([ROOT / "tools/setup", *more, "--list"], capture_output=True, text=True, check=True).stdout
             for more in ([], ["--venv"], ["--test"])]
    build, venv, test = (text.split() for text in lists)
    assert len(build) == len(set(build)) and "gcc" in build and "libzstd-dev" in build
    assert set(build) < set(venv) < set(test)


def test_setup_leaves_alone_what_is_there():
    done = subprocess.run([ROOT / "tools/setup", "--test"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_setup_installs_nothing_on_another_system(tmp_path):
    """Run in a mount namespace where /etc/os-release says so."""
    other = tmp_path / "os-release"
    other.write_text('ID=fedora\nVERSION_ID=41\n')
    done = subprocess.run(["unshare", "--mount", "--map-root-user", "bash", "-c",
                           f"mount --bind {other} /etc/os-release && {ROOT}/tools/setup"], capture_output=True, text=True)
    assert done.returncode == 1 and "fedora 41" in done.stderr and "libzstd-dev" in done.stderr


def test_setup_fails_when_the_python_environment_does(tmp_path):
    """A package index that is not there: no environment is taken as complete."""
    done = subprocess.run([ROOT / "tools/setup", "--venv"], capture_output=True, text=True, env={
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(tmp_path), "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_CONFIG_FILE": "/dev/null", "PIP_RETRIES": "0"})
    assert done.returncode != 0 and "could not be made" in done.stderr
    assert not list(tmp_path.rglob("complete"))
