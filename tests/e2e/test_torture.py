# SPDX-License-Identifier: Apache-2.0
"""Promise: whatever is done to the files, the process, the disk and the state folder, every line is there once. The
short form of torture.py, which also runs alone and for as long as one likes; SLUICE_SEED repeats the choices."""
import pytest

from torture import Torture


@pytest.mark.parametrize("turn", range(2))
def test_a_random_actor_loses_and_doubles_no_line(tmp_path, rng, turn):
    torture = Torture(tmp_path / "pipe", rng.getrandbits(32), seconds=12)
    try:
        torture.run()
    finally:
        torture.done()
