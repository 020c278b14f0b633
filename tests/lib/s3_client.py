# SPDX-License-Identifier: Apache-2.0
"""s3_client: a small S3 client for tests: makes buckets, and reads what is in one with other eyes than sluice's."""
import datetime
import hashlib
import hmac
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree


def json_bytes(value):
    return json.dumps(value).encode()


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Client:
    def __init__(self, url, access, secret, region="us-east-1", ca_file=None):
        self.url, self.access, self.secret, self.region = url, access, secret, region
        self.tls = ssl.create_default_context(cafile=ca_file) if ca_file else None
        self.host = urllib.parse.urlsplit(url).netloc

    def request(self, method, path, query=(), body=b"", headers=None):
        """One signed request; gives (status, headers, body), also of an answer that tells of an error."""
        path = urllib.parse.quote(path, safe="/-_.~")
        query = "&".join(f"{urllib.parse.quote(k, safe='-_.~')}={urllib.parse.quote(v, safe='-_.~')}"
                         for k, v in sorted(query))
        now = datetime.datetime.now(datetime.timezone.utc)
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        digest = hashlib.sha256(body).hexdigest()
        signed = {"host": self.host, "x-amz-content-sha256": digest, "x-amz-date": stamp}
        names = ";".join(signed)
        canonical = "\n".join([method, path, query, *(f"{k}:{v}" for k, v in signed.items()), "", names, digest])
        scope = f"{day}/{self.region}/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = sign(sign(sign(sign(b"AWS4" + self.secret.encode(), day), self.region), "s3"), "aws4_request")
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        signed["Authorization"] = (f"AWS4-HMAC-SHA256 Credential={self.access}/{scope}, SignedHeaders={names}, "
                                   f"Signature={signature}")
        request = urllib.request.Request(f"{self.url}{path}" + (f"?{query}" if query else ""), body or None,
                                         {**signed, **(headers or {})}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30, context=self.tls) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def must(self, method, path, query=(), body=b"", headers=None):
        status, _, answer = self.request(method, path, query, body, headers)
        if status not in (200, 204):
            raise RuntimeError(f"{method} {path}: {status} {answer[:500]!r}")
        return answer

    def make_bucket(self, bucket):
        self.must("PUT", f"/{bucket}")

    def get(self, bucket, key):
        return self.must("GET", f"/{bucket}/{key}")

    def put(self, bucket, key, body):
        self.must("PUT", f"/{bucket}/{key}", body=body)

    def delete(self, bucket, key):
        self.must("DELETE", f"/{bucket}/{key}")

    def list(self, bucket, prefix=""):
        """{key: size} of all objects below a prefix."""
        found, token = {}, None
        while True:
            query = [("list-type", "2"), ("prefix", prefix)] + ([("continuation-token", token)] if token else [])
            tree = ElementTree.fromstring(self.must("GET", f"/{bucket}", query))
            space = tree.tag.partition("}")[0] + "}" if tree.tag.startswith("{") else ""
            for entry in tree.findall(f"{space}Contents"):
                found[entry.findtext(f"{space}Key")] = int(entry.findtext(f"{space}Size"))
            token = tree.findtext(f"{space}NextContinuationToken")
            if not token or tree.findtext(f"{space}IsTruncated") != "true":
                return found
