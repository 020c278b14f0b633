# SPDX-License-Identifier: Apache-2.0
"""Promise: a configuration that is not understood is one clear error with file:line:column, the key, what is allowed and
a suggestion for a typo; nothing runs, nothing is written; `sluice check` says the same without running."""
import json
import os
import re
from pathlib import Path

import fastjsonschema
import pytest
import yaml

from pipeline import DENIED, OK, USAGE, sluice

GOOD = """\
pipeline: web
generation: 1
sources:
  - name: access
    paths: ["{inputs}/*.ndjson"]
    converter: ndjson
    time: {{field: time, format: rfc3339}}
    max_line_bytes: 1MiB
output:
  url: file://{out}
  partition: "dt={{time:%Y-%m-%d}}/status={{status}}"
  format: jsonl.zst
  level: 1
  object_bytes: 256MiB
  flush: 10m
broker: {{url: local}}
ledger: {{url: local}}
state: {state}
lanes: 0
"""


def good(pipe):
    return GOOD.format(inputs=pipe.inputs, out=pipe.out, state=pipe.state)


def refused(pipe, text, *, run=True):
    """What `check` and `run` both say of the configuration, on one line of standard error."""
    path = pipe.write_config(text)
    said = []
    for command in [("check", path)] + ([("run", path, "--once")] if run else []):
        done = sluice(*command, check=DENIED)
        told = [line for line in done.stderr.decode().splitlines() if str(path) in line]
        assert len(told) == 1, done.stderr.decode()
        said.append(told[0])
    assert not pipe.out.exists() and not pipe.state.exists(), "something was written"
    return said[0]


def test_the_configuration_of_the_readme_is_fine(pipe):
    sluice("check", pipe.write_config(good(pipe)), check=OK)


# What is replaced in GOOD, what the line:column is, and words that the message has to hold.
CASES = {
    "a typo in a key": ("partition:", "partiton:", (11, 3), ["partiton", "partition"]),
    "a typo at the top": ("lanes: 0", "lane: 0", (19, 1), ["lane", "lanes"]),
    "a typo in a source": ("    converter: ndjson", "    convertor: ndjson", (6, 5), ["convertor", "converter"]),
    "a typo in a value": ("converter: ndjson", "converter: ndjsn", (6, 16), ["converter", "ndjsn", "ndjson", "combined", "raw"]),
    "an unknown format": ("format: jsonl.zst", "format: parquet", (12, 11), ["format", "parquet", "jsonl.zst", "jsonl.gz"]),
    "a level out of range": ("level: 1", "level: 99", (13, 10), ["level", "99", "1", "19"]),
    "a size without sense": ("object_bytes: 256MiB", "object_bytes: 256 apples", (14, 17), ["object_bytes", "256 apples"]),
    "a time without sense": ("flush: 10m", "flush: 10 minutes", (15, 10), ["flush", "10 minutes"]),
    "a negative number": ("lanes: 0", "lanes: -1", (19, 8), ["lanes", "-1"]),
    "a list for a text": ("pipeline: web", "pipeline: [web]", (1, 11), ["pipeline"]),
    "a text for a mapping": ("broker: {url: local}", "broker: local", (16, 9), ["broker"]),
    "a hostile pipeline name": ("pipeline: web", "pipeline: ../web", (1, 11), ["pipeline", "../web"]),
    "an unknown broker": ("broker: {url: local}", "broker: {url: rabbit}", (16, 15), ["broker.url", "rabbit", "local"]),
    "a broken template": ("status={status}", "status={status", (11, 14), ["partition"]),
    "a template that leaves the folder": ("dt={time:%Y-%m-%d}", "../{time:%Y}", (11, 14), ["partition", ".."]),
    "an unknown time format": ("format: rfc3339", "format: rfc9999", (7, 33), ["format", "rfc9999", "rfc3339"]),
    "generation zero": ("generation: 1", "generation: 0", (2, 13), ["generation", "0"]),
    "an unset variable": ("pipeline: web", "pipeline: ${SLUICE_E2E_NOT_SET}", (1, 11), ["SLUICE_E2E_NOT_SET"]),
}


@pytest.mark.parametrize("name", CASES)
def test_is_refused_with_its_place(pipe, name):
    old, new, (line, column), words = CASES[name]
    text = good(pipe)
    assert old in text
    told = refused(pipe, text.replace(old, new, 1))
    place = re.search(rf"{re.escape(str(pipe.config_path))}:(\d+):(\d+): ", told)
    assert place, told
    assert (int(place.group(1)), int(place.group(2))) == (line, column), told
    for word in words:
        assert word in told, told


def test_a_typo_gets_a_suggestion(pipe):
    assert re.search('did you mean "?partition', refused(pipe, good(pipe).replace("partition:", "partiton:")))


def test_a_missing_key_is_named(pipe):
    told = refused(pipe, re.sub(r"(?m)^  url: file.*\n", "", good(pipe)))
    assert "output" in told and "url" in told and "missing" in told


def test_text_that_is_no_yaml_is_told_with_its_place(pipe):
    assert re.search(r"sluice\.yaml:\d+:\d+: ", refused(pipe, "pipeline: [web\nsources: }\n"))


@pytest.mark.parametrize("text", ["", "[]\n", "- a\n", "web\n", "a: &x [*x]\n", "--- \npipeline: a\n---\npipeline: b\n",
                                  "pipeline: \xff\n", "{" * 10000, "pipeline: web\npipeline: web\n"])
def test_odd_files_are_refused_and_never_a_crash(pipe, text):
    pipe.config_path.write_bytes(text.encode("latin-1"))
    sluice("check", pipe.config_path, check=DENIED)


def test_a_configuration_that_is_not_there_is_named(pipe):
    done = sluice("run", pipe.folder / "nothing.yaml", "--once")
    assert done.returncode not in (OK, USAGE) and b"nothing.yaml" in done.stderr


def test_variables_are_filled_in(pipe):
    text = good(pipe).replace("pipeline: web", "pipeline: ${SLUICE_E2E}").replace("lanes: 0", "lanes: ${SLUICE_LANES:-2}")
    sluice("check", pipe.write_config(text), check=OK, env={**os.environ, "SLUICE_E2E": "web"})


def test_check_tries_the_output_location(pipe):
    """A file where the folder would be: nobody can write there, root neither."""
    (pipe.folder / "file").write_text("")
    text = good(pipe).replace(f"file://{pipe.out}", f"file://{pipe.folder}/file/out")
    done = sluice("check", pipe.write_config(text))
    assert done.returncode not in (OK, USAGE)
    assert b"output.url" in done.stderr and f"{pipe.folder}/file".encode() in done.stderr


def test_check_leaves_no_trace(pipe):
    before = sorted(p for p in pipe.folder.rglob("*"))
    sluice("check", pipe.write_config(good(pipe)), check=OK)
    left = [p for p in pipe.folder.rglob("*") if p not in before and p != pipe.config_path and p.is_file()]
    assert not left


@pytest.fixture(scope="module")
def valid():
    """What an editor says of a configuration: by a validator of JSON Schema that is not ours."""
    return fastjsonschema.compile(json.loads(sluice("config", "schema", check=OK).stdout))


def readme_config():
    """The YAML of the README, as it stands there."""
    text = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    return re.search(r"```yaml\n(pipeline: web\n.*?)```", text, re.S).group(1)


def test_the_schema_accepts_real_configurations(pipe, valid):
    valid(yaml.safe_load(readme_config()))
    valid(yaml.safe_load(good(pipe)))
    valid(pipe.source().source("raw", "*.log", "raw", close_after="2s").set(log={"level": "debug"}).settings)


# What is a matter of one value's form; templates, names and variables are for `check` alone.
STRUCTURAL = ["a typo in a key", "a typo at the top", "a typo in a source", "a typo in a value", "an unknown format",
              "a level out of range", "a list for a text", "a text for a mapping", "a negative number", "generation zero"]


@pytest.mark.parametrize("name", STRUCTURAL)
def test_the_schema_refuses_what_check_refuses(pipe, valid, name):
    old, new, _, _ = CASES[name]
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        valid(yaml.safe_load(good(pipe).replace(old, new, 1)))


def test_the_readmes_configuration_runs_and_so_do_its_commands(pipe):
    """Its paths are moved below the test's folder, its port is the kernel's; `run` without --once is test_watch.py's."""
    text = readme_config()
    for old, new in (("/var/log/nginx", str(pipe.inputs)), ("/var/lib/sluice", str(pipe.folder)), ("127.0.0.1:9464", "127.0.0.1:0")):
        assert old in text
        text = text.replace(old, new)
    (pipe.folder / "web.yaml").write_text(text)
    pipe.file("access1.ndjson", b'{"time":"2026-01-01T00:00:00Z","status":200}\nbad\n')
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    (pipe.folder / "access.ndjson").write_bytes(b'{"time":"2026-01-01T00:00:00Z","status":200}\n')
    commands = [line.split("#")[0].split() for line in re.findall(r"(?m)^sluice .*web\.yaml.*$", readme)]
    assert {c[1] for c in commands} >= {"check", "run", "status", "audit", "rejects", "cat"}
    for command in commands:
        if command[1] in ("check", "try", "status", "audit", "rejects", "cat") or "--once" in command:
            sluice(*command[1:], check=OK, cwd=pipe.folder)


def test_the_schema_is_json_schema_and_knows_every_key_of_the_readme(pipe):
    schema = json.loads(sluice("config", "schema", check=OK).stdout)
    assert "json-schema.org" in schema["$schema"]
    for key in ("pipeline", "generation", "sources", "output", "broker", "ledger", "state", "lanes"):
        assert key in schema["properties"]
    assert schema["additionalProperties"] is False
    for key in ("url", "partition", "format", "level", "object_bytes", "flush"):
        assert key in schema["properties"]["output"]["properties"]
