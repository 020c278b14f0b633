# SPDX-License-Identifier: Apache-2.0
"""Promise: whatever is done to a fleet, every line is in the bucket once. A short form of tools/chaos; SLUICE_SEED repeats
a run's choices, as far as processes and clocks allow."""
import os
import random

import chaos
import pytest
from fleet import Minio, Versitygw

SECONDS = float(os.environ.get("SLUICE_CHAOS_SECONDS", 60))


@pytest.mark.parametrize("kind", [Versitygw, Minio])
def test_no_line_is_lost_or_doubled_under_chaos(kind):
    chaos.run(int(os.environ.get("SLUICE_SEED", random.SystemRandom().getrandbits(32))), SECONDS, kind)
