# SPDX-License-Identifier: Apache-2.0
"""conftest: a pipeline of its own for every test, and a seed that is printed and can be given again (SLUICE_SEED)."""
import os
import random
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from pipeline import BINARY, MAKE_LOGS, Pipeline  # noqa: E402


def pytest_configure():
    for name, path in (("SLUICE_BINARY", BINARY), ("SLUICE_MAKE_LOGS", MAKE_LOGS)):
        if not os.access(path, os.X_OK):
            pytest.exit(f"{name} has to name a program; tools/test e2e sets it", returncode=2)


@pytest.fixture
def pipe(tmp_path):
    """An empty pipeline; its folder goes at the end, for some tests fill hundreds of megabytes."""
    yield Pipeline(tmp_path)
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture
def rng():
    """Random choices of a test. The seed stands in the output of a failing test."""
    seed = int(os.environ.get("SLUICE_SEED", random.SystemRandom().getrandbits(32)))
    print(f"SLUICE_SEED={seed}")
    return random.Random(seed)
