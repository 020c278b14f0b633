# SPDX-License-Identifier: Apache-2.0
"""Promise: each converter gives, through the whole program and for any stripe size, the records that an independent
reading of the same file gives: Python's csv module, and small readers written here from the formats' descriptions."""
import csv
import io
import json
import random
import re

import pytest

from pipeline import DENIED, OK, sluice, wait_for
from readers import records

STRIPES = ("64", "1KiB", "64MiB")


def converted(pipe, data, stripe="64MiB", name="in.txt", check=OK, **source):
    """The records of one file, as JSON values, and the rejects."""
    pipe.settings["output"]["partition"] = ""
    pipe.settings["sources"] = []
    pipe.source(pattern="**", stripe_bytes=stripe, **source)
    pipe.file(name, data)
    pipe.run_once(check=check)
    rejects = pipe.ask("rejects", "--json").stdout.decode().splitlines()
    return [json.loads(line) for _, line in records(pipe.out)], [json.loads(line) for line in rejects]


def in_any_order(values):
    return sorted(json.dumps(value) for value in values)


def random_rows(seed, newline=False):
    r = random.Random(seed)
    alphabet = ["a", "é", "😀", '"', '""', ",", ";", "'", "\\", "\t", "\x00", "\x01", " ", "x" * 40, "0", "null"] + ["\n"] * newline
    for _ in range(300):
        yield ["".join(r.choice(alphabet) for _ in range(r.choice((0, 1, 2, 3, 9)))) for _ in range(4)]


@pytest.mark.parametrize("stripe", STRIPES)
@pytest.mark.parametrize("kind", ("csv", "tsv"))
def test_rows_are_those_of_pythons_csv_module(pipe, kind, stripe):
    delimiter = {"csv": ",", "tsv": "\t"}[kind]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(["a", "b é", "c,\t", 'd"'])
    for i, row in enumerate(random_rows(7)):
        if i % 2:
            csv.writer(text, delimiter=delimiter, lineterminator="\n").writerow(row)
        else:
            writer.writerow(row)
    got, rejects = converted(pipe, text.getvalue().encode(), stripe, converter=kind)
    expected = list(csv.DictReader(io.StringIO(text.getvalue(), newline=""), delimiter=delimiter, strict=True))
    assert not rejects
    assert in_any_order(got) == in_any_order(expected)


@pytest.mark.parametrize("stripe", STRIPES)
def test_every_stripe_knows_the_header_of_its_own_file(pipe, stripe):
    for n in range(5):
        head = ",".join(f"f{n}_{i}" for i in range(3))
        pipe.file(f"{n}.csv", (head + "\n" + "".join(f"{n},{i},z\n" for i in range(200))).encode())
    got, rejects = converted(pipe, b"only,a,header", stripe, name="last.csv", converter="csv", types={"*": "auto"})
    assert not rejects
    assert in_any_order(got) == in_any_order({f"f{n}_0": n, f"f{n}_1": i, f"f{n}_2": "z"} for n in range(5) for i in range(200))


def test_a_file_whose_header_is_none_is_all_rejects_and_the_next_one_is_not(pipe):
    pipe.file("bad.csv", b"\xff,b\n1,2\n3,4\n")
    got, rejects = converted(pipe, b"a,b\n1,2\n3\n", converter="csv", name="good.csv")
    assert got == [{"a": "1", "b": "2"}]
    assert sorted((r["reason"], r["detail"]) for r in rejects) == [
        ("fields", "fewer fields than columns"), *[("header", "the header is not UTF-8")] * 3]


def test_rows_with_newlines_in_quotes(pipe):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([["a", "b\nb", "c", "d"], *random_rows(11, newline=True)])
    got, rejects = converted(pipe, text.getvalue().encode(), "64", converter="csv", table={"quoted_newlines": True})
    assert not rejects
    assert in_any_order(got) == in_any_order(csv.DictReader(io.StringIO(text.getvalue(), newline=""), strict=True))


def test_a_row_that_is_still_open_is_nobodys_until_it_ends(pipe):
    pipe.output(partition="", flush="100ms")
    pipe.source(pattern="*.csv", converter="csv", table={"quoted_newlines": True}, close_after="1h")
    pipe.file("a.csv", b'a,b\n1,2\n3,"x\n')

    def has(record):
        return record in [json.loads(line) for _, line in records(pipe.out)]

    with pipe.start() as running:
        wait_for("the first row", lambda: has({"a": "1", "b": "2"}))
        pipe.file("a.csv", b'y"\n5,"open\n6,7\n', append=True)
        wait_for("the row of two lines", lambda: has({"a": "3", "b": "x\ny"}))
        running.drain()
    pipe.run_once()
    got = [json.loads(line) for _, line in records(pipe.out)]
    assert in_any_order(got) == in_any_order([{"a": "1", "b": "2"}, {"a": "3", "b": "x\ny"}, {"a": "6", "b": "7"}])
    assert b"a quote is open" in pipe.ask("rejects").stdout
    pipe.ask("audit", "--deep")


# ---- logfmt

BARE = re.compile(r'[ \t]*([^ \t="]+)(?:(=)(?:"((?:[^"\\]|\\.)*)"|([^ \t]*)))?')


def logfmt_oracle(line):
    found = {}
    for key, equals, quoted, bare in BARE.findall(line):
        value = json.loads(f'"{quoted}"') if quoted else bare
        name, n = key, 2
        while name in found:
            name, n = f"{key}_{n}", n + 1
        found[name] = value if equals else True
    return found


@pytest.mark.parametrize("stripe", STRIPES)
def test_pairs_of_logfmt(pipe, stripe):
    r = random.Random(5)
    texts = ["x", "é😀", 'say "hi"', "a\\b", "tab\there", "k=v", "", "2026", "\x01", "line\nend"]
    lines = []
    for _ in range(300):
        pairs = []
        for _ in range(r.randrange(1, 12)):
            value = r.choice(texts) + r.choice(texts)
            bare = value and not re.search(r'[\x00- "]', value)
            pairs.append(r.choice("abcde") + r.choice(["", "=" + (value if bare else json.dumps(value, ensure_ascii=r.random() < .5))]))
        lines.append(r.choice([" ", ""]) + r.choice([" ", "  "]).join(pairs))
    got, rejects = converted(pipe, "\n".join(lines).encode(), stripe, converter="logfmt")
    assert not rejects
    assert in_any_order(got) == in_any_order(map(logfmt_oracle, lines))


# ---- regex

@pytest.mark.parametrize("stripe", STRIPES)
def test_groups_are_those_of_pythons_re(pipe, stripe):
    pattern = r"^(?<host>\S+) \[(?<when>[^\]]*)\] (?<rest>.*?)(?: n=(?<n>\d+))?$"
    r = random.Random(3)
    lines = ["".join(r.choice(["h ", "é", "[t]", " ", " n=", "12", '"', "x"]) for _ in range(r.randrange(1, 12))) for _ in range(500)]
    lines += [f"host{i} [{i}] a b n={i:03}" for i in range(50)]
    matches = [re.search(pattern.replace("(?<", "(?P<"), line) for line in lines if line.strip()]
    got, rejects = converted(pipe, "\n".join(lines).encode(), stripe, converter="regex", regex={"pattern": pattern}, types={"n": "integer"})
    expected = [{k: int(v) if k == "n" else v for k, v in m.groupdict().items() if v is not None} for m in matches if m]
    assert in_any_order(got) == in_any_order(expected) and len(expected) > 50
    assert {x["reason"] for x in rejects} == {"no match"} and len(rejects) == sum(m is None for m in matches)


def test_an_error_in_a_pattern_names_its_place(pipe):
    pipe.settings["output"]["partition"] = ""
    pipe.source(pattern="*.log", converter="regex", regex={"pattern": "^(?<a>x"})
    said = sluice("check", pipe.write_config(), check=DENIED).stderr.decode()
    assert re.search(r"sluice.yaml:\d+:\d+: sources\[0\].regex.pattern: at character 8 of the pattern: missing closing", said), said


# ---- syslog

FACILITIES = "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp security console solaris-cron".split() + [f"local{i}" for i in range(8)]
SEVERITIES = "emerg alert crit err warning notice info debug".split()


def syslog_oracle(line, since=(2026, 7)):
    found, body = {}, re.fullmatch(r"(?:<(\d{1,3})>)?(.*)", line, re.S)
    rest = body[2]
    element = r'\[(?:[^]\\"]|"(?:[^"\\]|\\.)*")*\]'
    new = re.fullmatch(rf"1 (\S+) (\S+) (\S+) (\S+) (\S+) (-|(?:{element})+)(?: (.*))?", rest, re.S) if body[1] else None
    if new:
        found = dict(zip(("time", "host", "app", "pid", "msgid"), new.groups()))
        if new[6] != "-":
            found["data"] = {}
            for sd_id, params in re.findall(r'\[([^] ]+)((?: [^=]+="(?:[^"\\]|\\.)*")*)\]', new[6]):
                found["data"][sd_id] = {k: re.sub(r'\\(["\\\]])', r"\1", v) for k, v in re.findall(r' ([^=]+)="((?:[^"\\]|\\.)*)"', params)}
        found["message"] = new[7]
    else:
        old = re.fullmatch(r"(\w{3}) ([ \d]\d) ([\d:]{8}) (\S+) (?:([^\s:\[]+)(?:\[([^\]]*)\])?: ?)?(.*)", rest, re.S)
        month = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split().index(old[1]) + 1
        year = since[0] + (month < since[1])
        found = {"time": f"{year}-{month:02}-{int(old[2]):02}T{old[3]}Z", "host": old[4], "app": old[5], "pid": old[6], "message": old[7]}
    if body[1]:
        found["facility"], found["severity"] = FACILITIES[int(body[1]) // 8], SEVERITIES[int(body[1]) % 8]
    order = "time facility severity host app pid msgid data message".split()
    return {k: found[k] for k in order if found.get(k) not in (None, "-")}


@pytest.mark.parametrize("stripe", STRIPES)
def test_lines_of_syslog(pipe, stripe):
    r = random.Random(9)
    word = lambda: r.choice(["-", "host", "a.b", "été", "x" * 50])
    text = lambda: "".join(r.choice(["m", " ", "é", '"', "\\", "]", "[", ": ", "\t", "😀"]) for _ in range(r.randrange(1, 20)))
    lines = []
    for _ in range(300):
        time = f"2026-{r.randrange(1, 13):02}-{r.randrange(1, 29):02}T{r.randrange(24):02}:00:59{r.choice(['Z', '+01:00', '.5Z'])}"
        elements = "".join("[" + f"id{i}" + "".join(f' p{j}="' + re.sub(r'(["\\\]])', r"\\\1", text()) + '"' for j in range(r.randrange(3))) + "]" for i in range(r.randrange(3)))
        lines.append(f"<{r.randrange(192)}>1 {time} {word()} {word()} {word()} {word()} {elements or '-'} m{text()}")
        day = r.randrange(1, 29)
        tag = r.choice(["", "su: ", "su[12]: ", "/bin/x.y[1]:"])
        lines.append(f"{r.choice(['', '<13>'])}{r.choice(['Jan', 'Jun', 'Jul', 'Dec'])} {day:2} 01:02:03 {r.choice(['h', 'é'])} {tag}m{text().replace(':', ';').replace('[', '(')}")
    got, rejects = converted(pipe, "\n".join(lines).encode(), stripe, converter="syslog", syslog={"since": "2026-07"})
    assert not rejects
    assert in_any_order(got) == in_any_order(map(syslog_oracle, lines))


# ---- cri

@pytest.mark.parametrize("stripe", STRIPES)
def test_logs_of_containers(pipe, stripe):
    r = random.Random(2)
    expected = {}
    for container in ("nginx", "side-car"):
        lines = []
        for i in range(200):
            stream, message = r.choice(("stdout", "stderr")), f"{i} " + r.choice(("é", '"q"', "", "a b", "\t"))
            time = f"2026-01-01T00:00:{i % 60:02}.{i:09}Z"
            docker = json.dumps({"log": message + "\n", "stream": stream, "time": time})
            lines.append(docker if i % 2 else f"{time} {stream} F {message}")
            expected.setdefault(container, []).append({"time": time, "stream": stream, "namespace": "shop", "pod": "web-1", "uid": "0a1b", "container": container, "restart_count": 0, "message": message})
        pipe.file(f"pods/shop_web-1_0a1b/{container}/0.log", "\n".join(lines).encode())
    got, rejects = converted(pipe, b"", stripe, converter="cri", name="empty")
    assert not rejects
    assert in_any_order(got) == in_any_order(sum(expected.values(), []))


def test_containers_choose_partitions_fields_and_conditions(pipe):
    """Each of the three places where containers' logs lie, rotated files too."""
    for path in ("pods/shop_web-1_0f1e/nginx/0.log", "pods/shop_web-1_0f1e/nginx/0.log.20260101-000000", "pods/kube_dns-1_0f1e/dns/12.log",
                 "containers/web-2_shop_nginx-77aa.log", "docker/containers/88bb/88bb-json.log"):
        pipe.file(path, f'2026-01-01T00:00:00Z stdout F {path}\n{{"log":"{path}\\n","stream":"stderr","time":"2026-01-01T00:00:01Z"}}\n'.encode())
    pipe.output(partition="{namespace}/{pod}/{container}")
    pipe.source(pattern="**", converter="cri", where="namespace != 'kube'", fields={"drop": ["time"], "rename": {"uid": "pod_uid"}})
    pipe.run_once()
    found = {}
    for key, line in records(pipe.out):
        found.setdefault("/".join(key.split("/")[-4:-1]), []).append(json.loads(line))
    none = "/".join(["__HIVE_DEFAULT_PARTITION__"] * 3)
    assert {key: len(got) for key, got in found.items()} == {"shop/web-1/nginx": 4, "shop/web-2/nginx": 2, none: 2}
    of = {"namespace": "shop", "pod": "web-1", "pod_uid": "0f1e", "container": "nginx", "restart_count": 0}
    assert all(of.items() <= record.items() and record["message"].startswith("pods/shop") for record in found["shop/web-1/nginx"])
    assert {record["container_id"] for record in found["shop/web-2/nginx"]} == {"77aa"}
    assert [{**record, "stream": ""} for record in found[none]] == [
        {"stream": "", "container_id": "88bb", "message": "docker/containers/88bb/88bb-json.log"}] * 2


# ---- lua

SCRIPT = """\
-- one record a word, with what is common to all
function convert(line, meta)
  if line:sub(1, 1) == "#" then return end
  local records = {}
  for at, word in line:gmatch("()(%S+)") do
    records[#records + 1] = {word = word, at = at - 1, of = meta.source, upper = (word:gsub("%l", string.upper))}
  end
  if #records > 5 then return nil, "too many words: " .. #records end
  return records
end
"""


@pytest.mark.parametrize("stripe", STRIPES)
def test_records_of_a_script(pipe, stripe):
    r = random.Random(4)
    lines = [" ".join(r.choice(["a", "Bc", "x=1", "#", '"']) for _ in range(r.randrange(1, 8))) for _ in range(400)]
    (pipe.folder / "words.lua").write_text(SCRIPT)
    got, rejects = converted(pipe, "\n".join(lines).encode(), stripe, converter="lua", lua={"file": "words.lua"})
    kept = [line for line in lines if not line.startswith("#")]
    expected = [{"at": m.start(), "of": "app", "upper": m[0].upper(), "word": m[0]} for line in kept if len(line.split()) <= 5
                for m in re.finditer(r"\S+", line)]
    assert in_any_order(got) == in_any_order(expected)
    assert sorted(x["detail"] for x in rejects) == sorted(f"too many words: {len(x.split())}" for x in kept if len(x.split()) > 5)
    assert pipe.ask("audit", "--deep").returncode == OK


@pytest.mark.parametrize("source, place, words", (
    ({"converter": "lua", "lua": {"file": "bad.lua"}}, "lua.file", r"bad.lua:2: syntax error near 'bad'"),
    ({"converter": "lua", "lua": {"file": "none.lua"}}, "lua.file", r"none.lua cannot be read"),
    ({"converter": "lua"}, "converter", r'lua needs the key "lua.file"'),
    ({"converter": "ndjson", "where": "status >"}, "where", r"at character 9 of the condition"),
    ({"converter": "raw", "where": "a"}, "where", r"means nothing to raw"),
    ({"converter": "ndjson", "table": {"header": "first"}}, "table", r"is for csv, tsv and delimited"),
    ({"converter": "csv", "types": {"a": "int"}}, "types.a", r'"int" is not one of text, integer, number, boolean, auto'),
    ({"converter": "csv", "table": {"separator": ";;"}}, "table.separator", r"must be one ASCII character"),
    ({"converter": "delimited"}, "table.separator", r"is missing; delimited needs it"),
    ({"converter": "syslog", "syslog": {"since": "2026-13"}}, "syslog.since", r"is not a month such as 2026-07|does not fit"),
))
def test_a_mistake_names_its_key(pipe, source, place, words):
    (pipe.folder / "bad.lua").write_text("function convert(line)\n  this bad\nend\n")
    pipe.settings["output"]["partition"] = ""
    pipe.source(pattern="*.log", time_field=None, **source)
    said = sluice("check", pipe.write_config(), check=DENIED).stderr.decode()
    assert re.search(rf"sluice.yaml:\d+:\d+: sources\[0\].{re.escape(place)}: .*(?:{words})", said), said


# ---- which records, which fields

@pytest.mark.parametrize("stripe", STRIPES)
def test_conditions_and_fields(pipe, stripe):
    r = random.Random(8)
    rows = [{"n": r.randrange(10), "s": r.choice(["a", "b", None]), "drop": i, "x": {"y": r.random() < .5}} for i in range(400)]
    data = "\n".join(map(json.dumps, rows)).encode()
    got, rejects = converted(pipe, data, stripe, converter="ndjson", time_field=None,
                             where="n >= 3 and (s in ['a', null] or x.y) and not n = 7",
                             fields={"drop": ["drop"], "rename": {"s": "letter"}, "add": {"site": "eu"}})
    kept = [row for row in rows if row["n"] >= 3 and (row["s"] in ("a", None) or row["x"]["y"]) and row["n"] != 7]
    assert not rejects
    assert in_any_order(got) == in_any_order({"n": x["n"], "letter": x["s"], "x": x["x"], "site": "eu"} for x in kept)
    receipt = json.loads(next(pipe.out.glob("_receipts/g1/*.json")).read_bytes())
    assert receipt["filtered"] == len(rows) - len(kept) and receipt["converted"] == len(kept)


# ---- try and test

def two_sources(pipe):
    pipe.settings["output"]["partition"] = "n={n}"
    pipe.source(name="rows", pattern="*.csv", converter="csv", types={"n": "integer"}, where="n != 9")
    pipe.source(name="lines", pattern="*.txt", converter="raw")
    return pipe.write_config()


def test_try_shows_record_partition_and_rejects(pipe):
    config = two_sources(pipe)
    rows = pipe.file("a.csv", b'n,s\n1,"x ""y"""\nz,1\n9,a\n\n')
    said = sluice("try", config, rows, check=OK).stdout.decode()
    assert said == ('1  n,s\n  -> no record (blank, or a header)\n'
                    '2  1,"x ""y"""\n  -> n=1  {"n":1,"s":"x \\"y\\""}\n'
                    "3  z,1\n  -> reject: type: n\n"
                    "4  9,a\n  -> filtered\n"
                    "5  \n  -> no record (blank, or a header)\n"
                    "5 lines: 1 records, 1 rejects, 1 filtered, 2 without a record\n")
    lines = [json.loads(line) for line in sluice("try", config, rows, "--json", "--lines", 3, check=OK).stdout.splitlines()]
    assert lines[1:] == [{"line": 2, "input": '1,"x ""y"""', "records": [{"partition": "n=1", "record": {"n": 1, "s": 'x "y"'}}]},
                         {"line": 3, "input": "z,1", "records": [], "reject": {"reason": "type", "detail": "n"}}]
    other = pipe.folder / "elsewhere"
    other.write_bytes(b"x\n")
    assert b"say which source" in sluice("try", config, other, check=66).stderr
    assert b"  -> n=__HIVE_DEFAULT_PARTITION__  x" in sluice("try", config, other, "--source", "lines", check=OK).stdout
    assert not pipe.out.exists() and not pipe.state.exists()


def test_example_cases_beside_a_configuration(pipe):
    config = two_sources(pipe)
    cases = pipe.folder / "sluice.tests.jsonl"
    good = {"name": "rows", "source": "rows", "input": ["n,s", "007,a", "x,b", "9,c", "8,d"], "records": [{"s": "a", "n": 7}, {"n": 8, "s": "d"}],
            "partitions": ["n=7", "n=8"], "rejects": ["type"]}
    raw = {"source": "lines", "input": "a\nb", "records": ["a", "b"]}
    cases.write_text(json.dumps(good) + "\n\n" + json.dumps(raw) + "\n")
    assert sluice("test", config, check=OK).stdout == b"2 cases, 0 differences\n"
    for change, words in (({"records": [{"n": 7, "s": "A"}, {"n": 8, "s": "d"}]}, 'record 1: is: {"n":7,"s":"a"}, which is not'),
                          ({"records": good["records"][:1], "partitions": ["n=7"]}, "record 2: is not expected"),
                          ({"records": good["records"] + [{}]}, "1 more records are expected"),
                          ({"partitions": ["n=7", "n=9"]}, "record 2: goes to: n=8"),
                          ({"rejects": []}, "line 3 is a reject, type: x,b; expected: no reject"),
                          ({"rejects": ["type", "utf8"]}, "1 more rejects are expected")):
        cases.write_text(json.dumps({**good, **change}) + "\n")
        said = sluice("test", config, check=1).stdout.decode()
        assert words in said and f"{cases}:1: rows: " in said, said
    for text, words in (("{", "tests.jsonl:1: "), ('{"inputs":1}', '"inputs" is not one of'), ('{"source":"rows","input":"x"}', "a case needs"),
                        ('{"source":"no","input":"x","records":[]}', 'there is no source "no"')):
        cases.write_text(text + "\n")
        assert words in sluice("test", config).stderr.decode()
