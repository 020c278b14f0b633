# SPDX-License-Identifier: Apache-2.0
"""Promise: `sluice check` asks everything that a fleet builds on, tells all that is wrong in one go and what mends it,
says no secret, and changes nothing."""
from fleet import BUCKET, sluice
from pipeline import BUSY, DENIED, OK


def check(fleet, code):
    done = sluice("check", fleet.write_config(), check=code)
    said = done.stdout.decode() + done.stderr.decode()
    assert fleet.servers.s3.secret not in said and "hush" not in said, said
    return said


def everything(fleet):
    """What is in the servers: keys of the bucket and of Redis, and Kafka's topics."""
    from confluent_kafka.admin import AdminClient
    topics = AdminClient({"bootstrap.servers": fleet.servers.kafka_at}).list_topics(timeout=30).topics
    return sorted(fleet.list()), fleet.servers.redis.ask("KEYS", "*"), sorted(topics)


def test_check_of_a_fleet_asks_everything_and_changes_nothing(fleet):
    fleet.source()
    fleet.write_config()
    before = everything(fleet)
    said = check(fleet, DENIED)
    assert "Redis holds no ledger" in said and "fleet.blocks.g1" in said and "`sluice init`" in said, said
    assert everything(fleet) == before
    fleet.init()
    before = everything(fleet)
    said = check(fleet, OK)
    for there in ("ledger: is there", "broker: the topics are there", "can be written", "ok"):
        assert there in said, said
    assert "ledger: at risk" not in said, said
    assert everything(fleet) == before


def test_check_tells_of_each_server_by_itself(fleet):
    fleet.source().init()
    fleet.servers.redis.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    assert "at risk: Redis: maxmemory-policy" in check(fleet, OK)
    fleet.servers.redis.kill()
    said = check(fleet, BUSY)
    assert "the topics are there" in said and "can be written" in said, said
    fleet.servers.redis.start()
    fleet.settings["broker"]["partitions"] = 8
    assert "has to be mended" in check(fleet, DENIED)
    fleet.settings["broker"]["partitions"] = 4
    fleet.settings["generation"] = 2
    assert "fleet.blocks.g2" in check(fleet, DENIED)
    fleet.settings["generation"] = 1
    fleet.settings["output"]["url"] = f"s3://{BUCKET}/elsewhere"
    assert "not marked" in check(fleet, DENIED)
    fleet.settings["output"]["url"] = "s3://no-such-bucket/x"
    said = check(fleet, DENIED)
    assert "no-such-bucket" in said and "the topics are there" in said, said


def test_no_message_of_a_wrong_configuration_holds_a_secret(fleet):
    fleet.source()
    wrong = {"broker": {"url": "kafka://me:hush@127.0.0.1:1"}, "ledger": {"url": "redis:/me:hush@127.0.0.1"},
             "events": {"webhook": {"url": "ftp://me:hush@127.0.0.1/hush"}}}
    good = {key: fleet.settings.get(key) for key in wrong}
    for key, value in wrong.items():
        fleet.settings[key] = {**(good[key] or {}), **value}
        assert key in check(fleet, DENIED)
        fleet.settings.pop(key)
        if good[key] is not None:
            fleet.settings[key] = good[key]
    fleet.settings["output"]["endpoint"] = "https://me:hush@127.0.0.1"
    assert "endpoint" in check(fleet, DENIED)
