# SPDX-License-Identifier: Apache-2.0
"""tidy: clang-tidy over every source of a built folder, each file again only when something it depends on changed.

A clean result is remembered in the cache under a hash of the file, every project header that its compilation read
(asked from ninja), its compile command, the .clang-tidy files above it and clang-tidy's version. A finding is never remembered.
"""
import argparse
import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("SLUICE_CACHE", Path.home() / ".cache/sluice")) / "tidy"
CLANG_TIDY = "clang-tidy-14"


def project_sources(build):
    """The compile commands of files that a person wrote, once each."""
    entries = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = Path(entry["file"]).resolve()
        if path.is_relative_to(ROOT) and not path.is_relative_to(ROOT / "build"):
            entries.setdefault(path, entry)
    return entries


def dependencies(build):
    """For each object file, what its compilation read."""
    text = subprocess.run(["ninja", "-C", str(build), "-t", "deps"], check=True, capture_output=True, text=True).stdout
    found, current = {}, None
    for line in text.splitlines():
        if line.startswith("    "):
            found[current].append((build / line.strip()).resolve())
        elif ":" in line:
            current = line.split(":", 1)[0]
            found[current] = []
    return found


def key_of(path, entry, reads, basis):
    digest = hashlib.sha256(basis)
    # The checkout's place is no part of the key, so that another checkout finds the result too.
    digest.update(entry["command"].replace(str(ROOT), "").encode())
    for read in sorted({path, *(r for r in reads if r.is_relative_to(ROOT))}):
        digest.update(str(read.relative_to(ROOT)).encode() + b"\0")
        digest.update(hashlib.sha256(read.read_bytes()).digest())
    return digest.hexdigest()


def settings_of(path):
    """The .clang-tidy files that are in force for a file."""
    folders = [f for f in path.parents if f.is_relative_to(ROOT)]
    return b"".join((f / ".clang-tidy").read_bytes() for f in folders if (f / ".clang-tidy").exists())


def check(path, build):
    done = subprocess.run([CLANG_TIDY, "-p", str(build), "--quiet", str(path)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    return done.returncode == 0, done.stdout + (done.stderr if done.returncode else "")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=Path)
    parser.add_argument("-j", type=int, default=2)
    options = parser.parse_args()
    version = subprocess.run([CLANG_TIDY, "--version"], check=True, capture_output=True).stdout
    CACHE.mkdir(parents=True, exist_ok=True)
    reads, todo, sources = dependencies(options.build), {}, project_sources(options.build)
    for path, entry in sources.items():
        key = key_of(path, entry, reads.get(entry.get("output") or object_of(entry), []), version + settings_of(path))
        if not (CACHE / key).exists():
            todo[path] = key
    failed = 0
    with ThreadPoolExecutor(options.j) as pool:
        for (path, key), (good, text) in zip(todo.items(), pool.map(lambda p: check(p, options.build), todo)):
            if good:
                (CACHE / key).touch()
            else:
                failed += 1
                print(text)
    print(f"tidy: {len(sources)} files, {len(todo)} looked at, {failed} with findings")
    return 1 if failed else 0


def object_of(entry):
    """What follows -o in the command: the name that ninja knows the object by."""
    words = entry["command"].split()
    return words[words.index("-o") + 1]


if __name__ == "__main__":
    sys.exit(main())
