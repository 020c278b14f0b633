# SPDX-License-Identifier: Apache-2.0
"""Promise: a fleet works over TLS with SASL PLAIN and SCRAM as its configuration says; with a wrong password or
a certificate that is not trusted commands and roles end with the code for that and say what to look at; and no
secret is in what they say, or in their arguments."""
import ctypes
import subprocess
from pathlib import Path

import pytest
from fleet import BUSY, OK, Fleet, Kafka, Servers, sluice
from pipeline import DENIED
from servers import free_port
from servers_kafka import USERS
from test_fleet import prepare

USER, SCRAM_SECRET = "sluice", "scram-secret-of-sluice"
SCRAM_MENDED = 0x02060100  # before, librdkafka's SCRAM is refused by Kafka 3.8.1 and newer


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def make_ca(folder, name):
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
            "-keyout", f"{name}.key", "-out", f"{name}.pem")
    return folder / f"{name}.pem"


class TlsKafka(Kafka):
    """A third listener: SASL over TLS for `localhost`, with a certificate of a CA that was made for it."""

    def __init__(self):
        super().__init__()
        self.tls_port = free_port()

    @property
    def tls_address(self):
        return f"localhost:{self.tls_port}"

    def prepare(self):
        self.ca = make_ca(self.folder, "ca")
        make_ca(self.folder, "other")
        openssl(self.folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", "broker.key",
                "-out", "broker.csr")
        (self.folder / "names").write_text("subjectAltName=DNS:localhost\n")
        openssl(self.folder, "x509", "-req", "-in", "broker.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "2", "-extfile", "names", "-out", "broker.crt")
        (self.folder / "broker.pem").write_text("".join((self.folder / f).read_text() for f in ("broker.key", "broker.crt")))
        super().prepare()

    def properties(self):
        found = super().properties()
        for name in ("listeners", "advertised.listeners"):
            found[name] += f",TLS://localhost:{self.tls_port}"
        found["listener.security.protocol.map"] += ",TLS:SASL_SSL"
        users = " ".join(f'user_{name}="{secret}"' for name, secret in USERS.items())
        modules = "org.apache.kafka.common.security"
        return {**found, "listener.name.tls.ssl.keystore.type": "PEM",
                "listener.name.tls.ssl.keystore.location": self.folder / "broker.pem",
                "listener.name.tls.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
                "listener.name.tls.plain.sasl.jaas.config": f"{modules}.plain.PlainLoginModule required {users};",
                "listener.name.tls.scram-sha-512.sasl.jaas.config": f"{modules}.scram.ScramLoginModule required;"}

    def add_scram_user(self, name, secret):
        from confluent_kafka.admin import (AdminClient, ScramCredentialInfo, ScramMechanism,
                                           UserScramCredentialUpsertion)
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        admin = AdminClient({"bootstrap.servers": self.address})
        for done in admin.alter_user_scram_credentials(
                [UserScramCredentialUpsertion(name, info, secret.encode())]).values():
            done.result(60)


class SecureFleet(Fleet):
    def write_config(self, text=None):
        """With `$` as it is: secrets come from files."""
        path = super().write_config(text)
        path.write_text(path.read_text().replace("$$", "$"))
        return path


def secure(fleet, mechanism, secret, ca=None, user=USER):
    kafka = fleet.servers.kafka
    path = Path(fleet.folder) / "kafka.secret"
    path.write_text(secret + "\n")
    fleet.settings["broker"]["url"] = f"kafka://{kafka.tls_address}"
    fleet.settings["broker"]["properties"].update({
        "security.protocol": "SASL_SSL", "sasl.mechanism": mechanism, "sasl.username": user,
        "sasl.password": f"${{file:{path}}}", "ssl.ca.location": str(ca or kafka.ca)})
    return fleet


@pytest.fixture
def fleet(tmp_path):
    with Servers(kafka=TlsKafka) as servers, SecureFleet(tmp_path, servers) as made:
        servers.kafka.add_scram_user(USER, SCRAM_SECRET)
        yield made


def move_every_line(fleet, mechanism, secret):
    prepare(secure(fleet, mechanism, secret))
    said = fleet.init().stdout + sluice("check", fleet.config_path, check=OK).stdout
    processes = fleet.start_all(emitters=1, workers=1, uploaders=1)
    arguments = b"".join(Path(f"/proc/{p.process.pid}/cmdline").read_bytes() for p in processes)
    fleet.until_done()
    fleet.assert_each_line_once()
    fleet.drain_all()
    fleet.assert_audit()
    for text in (said.decode(), arguments.decode(), fleet.logs(tail=10 ** 7)):
        assert secret not in text


def test_a_fleet_moves_every_line_once_over_tls_with_plain(fleet):
    move_every_line(fleet, "PLAIN", USERS[USER])


def newer_librdkafka(folder):
    """The one that the Python client brings along, under the name that sluice asks for."""
    import confluent_kafka
    assert confluent_kafka.libversion()[1] >= SCRAM_MENDED
    libs = Path(confluent_kafka.__file__).parent.parent / "confluent_kafka.libs"
    folder.mkdir()
    (folder / "librdkafka.so.1").symlink_to(next(libs.glob("librdkafka-*.so*")))
    return f"{folder}:{libs}"


def installed_librdkafka():
    return ctypes.CDLL("librdkafka.so.1").rd_kafka_version()


def test_a_fleet_moves_every_line_once_over_tls_with_scram(fleet, monkeypatch):
    """An older librdkafka cannot, and sluice says what is needed; then a newer one takes its place."""
    if installed_librdkafka() < SCRAM_MENDED:
        secure(fleet.source(), "SCRAM-SHA-512", SCRAM_SECRET).write_config()
        assert b"needs librdkafka 2.6.1" in sluice("init", fleet.config_path, check=DENIED).stderr
        monkeypatch.setenv("LD_LIBRARY_PATH", newer_librdkafka(Path(fleet.folder) / "newer"))
        fleet.settings["sources"].clear()
    move_every_line(fleet, "SCRAM-SHA-512", SCRAM_SECRET)


WRONG = [(("PLAIN", "not-the-secret-at-all"), "look at sasl.* in broker.properties"),
         (("SCRAM-SHA-512", "not-the-secret-at-all"), "look at sasl.*"),
         (("PLAIN", USERS[USER], "other.pem"), "look at ssl.* in broker.properties")]


def test_what_is_wrong_is_said_and_has_its_own_exit_code(fleet):
    prepare(secure(fleet, "PLAIN", USERS[USER]), files=1, size=100_000).init()
    for (mechanism, secret, *more), says in WRONG:
        ca = fleet.servers.kafka.folder / more[0] if more and more[0] else None
        secure(fleet, mechanism, secret, ca, *more[1:]).write_config()
        for command in ("check", "init", "worker"):
            done = sluice(command, fleet.config_path, check=DENIED)
            said = (done.stdout + done.stderr).decode()
            assert says in said and secret not in said, f"{command}, {mechanism}, {more}: {said}"
    secure(fleet, "PLAIN", USERS[USER]).write_config()
    fleet.servers.kafka.kill()
    assert "sasl.*" not in sluice("check", fleet.config_path, check=BUSY).stderr.decode()
