# SPDX-License-Identifier: Apache-2.0
"""Promise: tools/demo works from any folder, without a terminal and twice in a row, and its last words are true."""
import subprocess
from pathlib import Path

import pytest

import readers

ROOT = Path(__file__).resolve().parents[2]


def demo(folder, *more):
    done = subprocess.run([ROOT / "tools/demo", "--bytes", "4MiB", "--into", folder / "demo", *more], cwd=folder,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "\x1b" not in done.stdout
    return done.stdout


@pytest.mark.parametrize("more", [[], ["--keep"]], ids=["anew", "kept"])
def test_the_demo_runs_twice_from_any_folder_without_a_terminal(tmp_path, more):
    first = demo(tmp_path)
    again = demo(tmp_path, *more)
    for said in (first, again):
        for title in ("The objects", "A receipt", "The audit", "A query by DuckDB", "The status"):
            assert f"== {title}" in said
        assert "clean" in said
    out, inputs = tmp_path / "demo/out", tmp_path / "demo/in"
    assert len(readers.lines(out)) + len(readers.rejects(out)) == sum(
        1 for path in inputs.iterdir() if not path.name.startswith(".") for _ in readers.input_lines(path))
