# SPDX-License-Identifier: Apache-2.0
"""servers_kafka: one Kafka broker in KRaft mode, with the frame of servers.py.

Two listeners: `address` for everybody (who is ANONYMOUS there, and may do everything), and `sasl_address` with SASL/PLAIN
for the users below: `sluice` may do everything too, `nobody` nothing. One node and one replica: what is acknowledged
survives a kill -9, because the kernel keeps it, and not a power cut.
"""
import hashlib
import os
import shutil
import subprocess
import tempfile

from servers import HERE, Server, cache_folder, free_port

USERS = {"sluice": "sluice-secret", "nobody": "nobody-secret"}
CLUSTER = "sluiceTestClusterAAAAA"
JAVA = ("java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")
LOG4J = """status=WARN
appender.c.type=Console
appender.c.name=c
appender.c.layout.type=PatternLayout
appender.c.layout.pattern=%d{ISO8601} %p %c{1} %m%n
rootLogger.level=INFO
rootLogger.appenderRef.c.ref=c
"""
READY = b"Kafka Server started"


def kafka_folder():
    """Where tools/setup --servers has put the jars: the name says of which pom."""
    digest = hashlib.sha256((HERE / "kafka/pom.xml").read_bytes()).hexdigest()[:12]
    return cache_folder() / f"kafka-{digest}"


class Kafka(Server):
    """`properties` add to the ones below, or take their place. A restart keeps the ports and the data."""

    name = "kafka"

    def __init__(self, folder=None, port=None, arguments=(), properties=None):
        super().__init__(folder, port, arguments)
        self.controller_port, self.sasl_port = free_port(), free_port()
        self.advertised_port = None  # of a proxy in front
        self.extra = dict(properties or {})
        self.log_from = 0

    @property
    def sasl_address(self):
        return f"127.0.0.1:{self.sasl_port}"

    def properties(self):
        one = {key: 1 for key in (
            "num.partitions", "default.replication.factor", "min.insync.replicas", "offsets.topic.replication.factor",
            "transaction.state.log.replication.factor", "transaction.state.log.min.isr",
            "share.coordinator.state.topic.replication.factor", "share.coordinator.state.topic.min.isr",
            "share.coordinator.state.topic.num.partitions")}
        users = " ".join(f'user_{name}="{secret}"' for name, secret in USERS.items())
        return {
            **one, "process.roles": "broker,controller", "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "listeners": f"PLAIN://127.0.0.1:{self.port},SASL://127.0.0.1:{self.sasl_port},"
                         f"CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAIN://127.0.0.1:{self.advertised_port or self.port},"
                                    f"SASL://127.0.0.1:{self.sasl_port}",
            "inter.broker.listener.name": "PLAIN", "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAIN:PLAINTEXT,SASL:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.sasl.plain.sasl.jaas.config":
                f"org.apache.kafka.common.security.plain.PlainLoginModule required {users};",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS;User:sluice",
            "log.dirs": self.folder / "logs", "offsets.topic.num.partitions": 4,
            "transaction.state.log.num.partitions": 4, "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000, "auto.create.topics.enable": "false", "num.network.threads": 2,
            "num.io.threads": 2, "background.threads": 2, "log.cleaner.dedupe.buffer.size": 8388608,
            "log.segment.bytes": 16777216, "message.max.bytes": 1048588, **self.extra}

    def write_settings(self):
        text = "".join(f"{key}={value}\n" for key, value in self.properties().items())
        (self.folder / "server.properties").write_text(text)
        (self.folder / "log4j2.properties").write_text(LOG4J)

    def java(self, *words):
        jars = ":".join(sorted(str(j) for j in (kafka_folder() / "libs").glob("*.jar")))
        return [*JAVA, f"-Dlog4j2.configurationFile={self.folder}/log4j2.properties", "-cp", jars, *words]

    def format(self, target):
        """The formatted folder names no port, so that it is made once and copied from then on: a start of Java less."""
        done = subprocess.run(
            self.java("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", self.folder / "server.properties"),
            capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise RuntimeError(f"kafka: formatting failed:\n{done.stdout}{done.stderr}")
        copy = tempfile.mkdtemp(dir=target.parent)
        shutil.copytree(self.folder / "logs", copy, dirs_exist_ok=True)
        try:
            os.rename(copy, target)
        except OSError:
            shutil.rmtree(copy)  # somebody else was quicker

    def prepare(self):
        if not (kafka_folder() / "libs").is_dir():
            raise RuntimeError(f"kafka: {kafka_folder()} is not there; tools/setup --servers installs it")
        self.write_settings()
        template = kafka_folder() / "template"
        if template.is_dir():
            shutil.copytree(template, self.folder / "logs")
        else:
            self.format(template)

    def command(self):
        return self.java("-Xms256m", "-Xmx256m", "kafka.Kafka", self.folder / "server.properties")

    def spawn(self):
        self.write_settings()
        self.log_from = self.log.stat().st_size if self.log.exists() else 0
        super().spawn()

    def ready(self):
        with self.log.open("rb") as log:
            log.seek(self.log_from)
            return READY in log.read()

    def environment(self):
        user = "sluice"
        return {"SLUICE_TEST_KAFKA": self.address, "SLUICE_TEST_KAFKA_SASL": self.sasl_address,
                "SLUICE_TEST_KAFKA_USER": user, "SLUICE_TEST_KAFKA_PASSWORD": USERS[user],
                "SLUICE_TEST_KAFKA_NOBODY": USERS["nobody"]}
