# SPDX-License-Identifier: Apache-2.0
"""conftest: real servers for each module of the fleet's tests, and the programs to test."""
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib"), str(HERE.parent / "e2e")]


def pytest_configure():
    for name in ("SLUICE_BINARY", "SLUICE_MAKE_LOGS"):
        if not os.access(os.environ.get(name, ""), os.X_OK):
            pytest.exit(f"{name} has to name a program; tools/test fleet sets it", returncode=2)


@pytest.fixture
def servers():
    from fleet import Servers
    with Servers() as running:
        yield running


@pytest.fixture
def fleet(tmp_path, servers):
    from fleet import Fleet
    with Fleet(tmp_path, servers) as made:
        yield made
