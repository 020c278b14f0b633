# SPDX-License-Identifier: Apache-2.0
"""Promise: a bucket behind a network that is slow, cut in the middle of parts, silent or gone for a while never shows half an
object, and everything is there in the end, in bounded memory. Seeds: SLUICE_SEED."""
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from servers import BUCKET, Minio, Toxiproxy, Versitygw  # noqa: E402

LOAD = Path(os.environ.get("SLUICE_BUILD", Path(__file__).resolve().parents[2] / "build/release")) \
    / "tests/contract/store/store_s3_load"
OBJECTS, OBJECT_BYTES, SMALL, SMALL_BYTES = 6, 23_000_000, 12, 3000
SECONDS = 120
PART_MIB, PARTS = 5, 4  # of the program: 3 parts travel, one fills


def expected(key, size):
    line = key.encode() + b"\n"
    return (line * (size // len(line) + 1))[:size]


def size_of(key):
    return OBJECT_BYTES if key.startswith("large/") else SMALL_BYTES


def break_it(rng, toxiproxy, server):
    """One bad time of the network, and its end."""
    kind = rng.choice(["down", "latency", "slow", "cut up", "cut down", "silent", "reset", "killed", "frozen"])
    if kind == "down":
        toxiproxy.enable("s3", False)
        time.sleep(rng.uniform(0.1, 1.5))
        toxiproxy.enable("s3", True)
    elif kind == "killed":
        server.kill()
        server.start()
    elif kind == "frozen":
        server.pause()
        time.sleep(rng.uniform(0.1, 2))
        server.resume()
    else:
        name, stream, attributes = {
            "latency": ("latency", "downstream", {"latency": 150, "jitter": 100}),
            "slow": ("bandwidth", "upstream", {"rate": 3000}),
            "cut up": ("limit_data", "upstream", {"bytes": rng.randrange(100, 8_000_000)}),
            "cut down": ("limit_data", "downstream", {"bytes": rng.randrange(1, 3000)}),
            "silent": ("timeout", "downstream", {"timeout": 0}),
            "reset": ("reset_peer", "upstream", {"timeout": rng.randrange(0, 200)}),
        }[kind]
        toxic = toxiproxy.toxic("s3", name, stream, **attributes)
        time.sleep(rng.uniform(0.1, 1.5))
        toxiproxy.heal("s3", toxic)
    return kind


def look(client, halves):
    """Whatever is listed is whole."""
    try:
        found = client.list(BUCKET)
    except (OSError, RuntimeError):
        return  # the server itself is killed or frozen now
    halves += [f"{k}: {n}" for k, n in found.items() if n != size_of(k)]


@pytest.mark.parametrize("kind", [Versitygw, Minio])
def test_nothing_half_is_seen_and_all_is_there_in_the_end(kind):
    seed = int(os.environ.get("SLUICE_SEED", random.SystemRandom().getrandbits(32)))
    print(f"SLUICE_SEED={seed}")
    rng, halves, told = random.Random(seed), [], []
    with kind() as server, Toxiproxy() as toxiproxy:
        port = toxiproxy.proxy("s3", server.address)
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": server.access, "AWS_SECRET_ACCESS_KEY": server.secret,
                       "AWS_REGION": server.region}
        load = subprocess.Popen([LOAD, f"http://127.0.0.1:{port}", BUCKET, str(OBJECTS), str(OBJECT_BYTES), str(SECONDS)],
                                env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        out = {}
        reader = threading.Thread(target=lambda: out.update(zip(("out", "err"), load.communicate())))
        reader.start()
        client = server.client()
        end = time.monotonic() + 15
        while load.poll() is None and time.monotonic() < end:
            told.append(break_it(rng, toxiproxy, server))
            look(client, halves)
        reader.join()
        print("broken:", told)
        assert load.returncode == 0, out["err"]
        assert not halves
        names = [f"large/{i}" for i in range(OBJECTS)] + [f"small/n={i}/{k}" for i in range(OBJECTS) for k in range(SMALL)]
        assert sorted(client.list(BUCKET)) == sorted(names)
        for name in names:
            assert client.get(BUCKET, name) == expected(name, size_of(name)), name
        # its own object and the one that came back, the parts, and what a program takes anyhow
        assert int(out["out"]) < (2 * OBJECT_BYTES * 2) // 1024 + PART_MIB * PARTS * 1024 + 32 * 1024
        assert told
