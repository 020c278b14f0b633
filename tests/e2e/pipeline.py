# SPDX-License-Identifier: Apache-2.0
"""pipeline: one sluice with a folder of its own, run as a user runs it: a configuration file, the binary, signals.

The binary is in SLUICE_BINARY, the log generator in SLUICE_MAKE_LOGS; tools/test sets both.
"""
import json
import os
import resource
import signal
import subprocess
import time
from pathlib import Path

BINARY = os.environ.get("SLUICE_BINARY", "")
MAKE_LOGS = os.environ.get("SLUICE_MAKE_LOGS", "")
DATA = Path(__file__).resolve().parents[1] / "data"
# Nothing here takes minutes: what is still running then hangs.
RUN_SECONDS_MAX = 120
# The exit codes of common/base/rc.c and INTERFACES.md.
OK, NO, USAGE, DENIED, BROKEN, LIMIT, BUSY = 0, 1, 2, 78, 74, 69, 75


def sluice(*arguments, check=None, **options):
    """Runs the binary to its end; `check` is the exit code to insist on."""
    options.setdefault("timeout", RUN_SECONDS_MAX)
    done = subprocess.run([BINARY, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, **options)
    if check is not None:
        assert done.returncode == check, (
            f"sluice {' '.join(map(str, arguments))}: exit code {done.returncode}, expected {check}\n"
            f"{done.stdout.decode(errors='replace')[-2000:]}\n{done.stderr.decode(errors='replace')[-4000:]}")
    return done


def make_logs(path, size, *, form="ndjson", seed=1, errors=0.0, span=24, append=False):
    """Writes an invented log; gives what make_logs says of it: lines, bad, bytes."""
    with open(path, "ab" if append else "wb") as out:
        done = subprocess.run([MAKE_LOGS, "--format", form, "--bytes", str(size), "--seed", str(seed), "--errors",
                               str(errors), "--span", str(span)], stdout=out, stderr=subprocess.PIPE, check=True)
    return json.loads(done.stderr)


def wait_for(what, condition, seconds=60):
    """Asks until `condition` gives something true, and gives that. For watching a process, never for its speed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s in vain for: {what}")


def file_sizes(folder):
    """{path: bytes} of the files below a folder in which a process may still be making and removing files."""
    found = {}
    for path in folder.rglob("*") if folder.exists() else []:
        try:
            if path.is_file():
                found[path] = path.stat().st_size
        except FileNotFoundError:
            pass
    return found


class Pipeline:
    """Folders in/, out/ and state/ below one folder, and a configuration that can be changed between runs."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.inputs, self.out, self.state = self.folder / "in", self.folder / "out", self.folder / "state"
        self.inputs.mkdir(parents=True, exist_ok=True)
        self.config_path = self.folder / "sluice.yaml"
        self.settings = {
            "pipeline": "e2e",
            "generation": 1,
            "sources": [],
            "output": {"url": f"file://{self.out}", "partition": "dt={time:%Y-%m-%d}", "format": "jsonl.zst",
                       "level": 1, "object_bytes": "64MiB", "flush": "1h"},
            "broker": {"url": "local"},
            "ledger": {"url": "local"},
            "state": str(self.state),
            "lanes": 2,
        }

    def source(self, name="app", pattern="*.ndjson*", converter="ndjson", time_field="time", **more):
        """Adds a source over files of in/."""
        source = {"name": name, "paths": [str(self.inputs / pattern)], "converter": converter, **more}
        if converter == "ndjson" and time_field and "time" not in source:
            source["time"] = {"field": time_field, "format": "rfc3339"}
        self.settings["sources"].append(source)
        return self

    def output(self, **more):
        self.settings["output"].update(more)
        return self

    def set(self, **more):
        self.settings.update(more)
        return self

    def write_config(self, text=None):
        """JSON is YAML; `$` has a meaning of its own in values."""
        self.config_path.write_text(text or json.dumps(self.settings, indent=1).replace("$", "$$"))
        return self.config_path

    def file(self, name, content=b"", append=False):
        path = self.inputs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab" if append else "wb") as out:
            out.write(content)
        return path

    def run_once(self, *arguments, check=OK, **options):
        return sluice("run", self.write_config(), "--once", *arguments, check=check, **options)

    def ask(self, command, *arguments, check=OK):
        """A command about this pipeline: status, audit, rejects, cat, check."""
        self.write_config()
        return sluice(command, "--config", self.config_path, *arguments, check=check)

    def ask_json(self, command, *arguments, check=OK):
        """The answer as JSON; {} where the command gave none (with check=None)."""
        return json.loads(self.ask(command, *arguments, "--json", check=check).stdout or b"{}")

    def start(self, *arguments, **options):
        return Running(self, *arguments, **options)


class Running:
    """`sluice run CONFIG` in the background, until the `with` ends; its log is in run.log."""

    def __init__(self, pipeline, *arguments, prefix=(), **options):
        self.log = pipeline.folder / "run.log"
        command = [*prefix, BINARY, "run", str(pipeline.write_config()), *map(str, arguments)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def text(self):
        return self.log.read_text(errors="replace")

    def signal(self, number):
        self.process.send_signal(number)

    def seal(self):
        """SIGHUP: seal and upload at once."""
        self.signal(signal.SIGHUP)

    def drain(self, check=OK):
        """SIGTERM, and the end that it promises."""
        self.signal(signal.SIGTERM)
        code = self.process.wait(timeout=RUN_SECONDS_MAX)
        assert code == check, f"exit code {code} after SIGTERM, expected {check}\n{self.text()[-4000:]}"

    def kill(self):
        """kill -9; True when it was still running."""
        running = self.process.poll() is None
        self.process.kill()
        self.process.wait()
        return running


def file_size_limit(size):
    """For preexec_fn: every file over `size` fails to grow, as on a full disk, with an error instead of a signal. Only
    the soft limit, so that it can be lifted again."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    return limit
