# SPDX-License-Identifier: Apache-2.0
"""Promise: whatever Kafka goes through, each message that was acknowledged is at its offset, once, in order, and each
acknowledged job is given out: through kill -9 and restarts, frozen brokers, cut connections and frozen producers."""
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
from servers import Toxiproxy  # noqa: E402
from servers_kafka import Kafka  # noqa: E402

TRIAL = Path(os.environ["SLUICE_BINARY"]).parents[2] / "tests/contract/broker/kafka_trial"
END_SECONDS = 120  # in which everything is acknowledged and read behind the last fault


class Trial:
    """One kafka_trial, which appends and reads until finish()."""

    def __init__(self, address, name, folder, *words, timeout_ms=120000):
        self.process = subprocess.Popen(
            [TRIAL, name, "chaos", str(timeout_ms), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, env={**os.environ, "SLUICE_TEST_KAFKA": address, "TMPDIR": str(folder)})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def finish(self):
        out, _ = self.process.communicate(timeout=END_SECONDS)
        print(out.strip())
        assert self.process.returncode == 0, out
        words = out.split()
        self.broken = int(words[words.index("producers") - 1])
        assert int(words[words.index("acknowledged,") - 1]) > 100


def breathe(low, high):
    """Some time in which work goes on between two faults; nothing depends on how long."""
    time.sleep(random.uniform(low, high))


def test_kill_9_and_restart_lose_and_double_nothing(tmp_path):
    with Kafka() as kafka, Trial(kafka.address, "one", tmp_path, "make") as one:
        breathe(3, 4)
        for _ in range(3):
            kafka.kill()
            breathe(0, 1)
            kafka.start()
            breathe(2, 4)
        one.finish()
        assert one.broken == 0  # what passes is waited for
        assert not list(tmp_path.iterdir())  # the cache leaves no file, as it has none


def test_an_outage_longer_than_messages_wait_breaks_producers_only(tmp_path):
    with Kafka() as kafka, Trial(kafka.address, "one", tmp_path, "make", timeout_ms=5000) as one:
        breathe(3, 4)
        kafka.pause()
        breathe(9, 10)
        kafka.resume()
        breathe(2, 3)
        one.finish()
        assert one.broken > 0


def test_a_frozen_producer_that_goes_on_hurts_nobody(tmp_path):
    with Kafka() as kafka, Trial(kafka.address, "one", tmp_path, "make") as one:
        breathe(3, 4)
        with Trial(kafka.address, "two", tmp_path) as two:
            breathe(2, 3)
            one.process.send_signal(signal.SIGSTOP)
            breathe(1, 2)
            kafka.kill()
            kafka.start()
            breathe(7, 8)  # behind its session, which is 6 s
            one.process.send_signal(signal.SIGCONT)
            breathe(2, 3)
            two.finish()
        one.finish()


@pytest.mark.parametrize("kind", ["cut", "slow"])
def test_connections_that_break_or_crawl_lose_nothing(tmp_path, kind):
    with Toxiproxy() as proxy, Kafka() as kafka:
        kafka.advertised_port = proxy.proxy("kafka", kafka.address)
        kafka.stop()
        kafka.start()
        address = f"127.0.0.1:{kafka.advertised_port}"
        with Trial(address, "one", tmp_path, "make") as one:
            breathe(3, 4)
            for _ in range(4):
                if kind == "cut":
                    proxy.enable("kafka", False)
                    breathe(0, 1)
                    proxy.enable("kafka", True)
                else:
                    toxic = proxy.toxic("kafka", "latency", latency=400, jitter=300)
                    breathe(1, 2)
                    proxy.heal("kafka", toxic)
                breathe(1, 2)
            one.finish()
