# SPDX-License-Identifier: Apache-2.0
"""Promise: over TLS a bucket works with the certificate that was named, and with none else."""
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import servers  # noqa: E402
from test_store_s3_chaos import LOAD, expected  # noqa: E402


class TlsVersitygw(servers.Versitygw):
    scheme = "https"

    def prepare(self):
        super().prepare()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.folder / "key.pem",
                        "-out", self.folder / "cert.pem"], check=True, capture_output=True)

    def arguments_before(self):
        return ["--cert", self.folder / "cert.pem", "--key", self.folder / "key.pem"]

    def client(self):
        return servers.s3_client.Client(self.url, self.access, self.secret, self.region, self.folder / "cert.pem")

    def ready(self):
        try:
            return self.client().request("GET", "/")[0] == 200
        except OSError:
            return False


def run(server, **more):
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": server.access, "AWS_SECRET_ACCESS_KEY": server.secret,
                   "AWS_REGION": server.region, **more}
    return subprocess.run([LOAD, server.url, servers.BUCKET, "1", "12000000", "60"], env=environment, capture_output=True,
                          text=True)


def test_the_named_certificate_is_trusted_and_no_other():
    with TlsVersitygw() as server:
        refused = run(server)
        assert refused.returncode == 1 and "denied" in refused.stderr and "not trusted" in refused.stderr
        done = run(server, SLUICE_TEST_CA_FILE=str(server.folder / "cert.pem"))
        assert done.returncode == 0, done.stderr
        assert server.client().get(servers.BUCKET, "large/0") == expected("large/0", 12_000_000)
