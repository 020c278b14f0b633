# SPDX-License-Identifier: Apache-2.0
"""check_docs: the documents and the tree agree.

  - every file that a Markdown document names in backquotes or in a code block, with a folder in front of it, exists:
    from the project's root, or from the document's own folder;
  - every file that a service's DESIGN.md names without a folder is in that service's folder or in one below common/;
  - every source file of a service stands in the DESIGN.md of that service, and every folder that holds a module stands
    in ARCHITECTURE.md (both checked as soon as the document is there; a service without DESIGN.md is a finding).
  - every test that a document names as `file::test` is in that file; the tables of docs/PROOFS.md name one in every row, and
    its table of files has the rows of the README's, in their words and order.
A name with a `*`, `<…>`, `{…}`, `…` or a leading `/`, `_` or `build/` is a pattern or lives elsewhere, and is left alone.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXTENSIONS = "c|h|cc|cmake|proto|py|sh|md|txt|yaml|yml|json"
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.S)
PATH = re.compile(rf"(?<![\w*<>{{}}…/.~$%:-])((?:[\w.-]+/)*[\w.-]+\.(?:{EXTENSIONS}))(?![\w*<>{{}}/-])")
TEST = re.compile(r"`((?:[\w.-]+/)+[\w.-]+)::(\w+)`")
GUARANTEES = "What is guaranteed for your files"
OUTSIDE = ("build/", "_", "etc/", "var/")


def named(text):
    """The file names in the code parts of a document."""
    for part in CODE.findall(text):
        for match in PATH.finditer(part):
            if not match.group(1).startswith(OUTSIDE):
                yield match.group(1)


def tracked():
    """Files that git knows or would add: what a clone of the next commit holds."""
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True,
                         text=True).stdout.splitlines()
    return {f for f in out if (ROOT / f).exists()}


def check_names(document, files, complain):
    folder = document.parent
    in_service = folder.parts[:1] == ("services",)
    basenames = {Path(f).name for f in files if Path(f).is_relative_to(folder) or f.startswith("common/")}
    for name in sorted(set(named((ROOT / document).read_text()))):
        if "/" in name:
            if name not in files and str(folder / name) not in files:
                complain(f"{document}: names {name}, which is not in the tree")
        elif in_service and name.endswith((".c", ".h")) and name not in basenames:
            complain(f"{document}: names {name}, which is not in {folder}")


def code_map(text):
    """Names in the first column of the table below `## Code`, without their extension: `scan.h, scan.c`, or `scan`."""
    table = text.partition("\n## Code\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| ([^|]+) \|", table, re.M)
    return {name.strip(" `").split(".")[0] for cell in cells for name in cell.split(",")}


def check_services(files, complain):
    services = sorted(Path(f).parts[1] for f in files if re.fullmatch(r"services/[^/]+/CMakeLists.txt", f))
    for service in services:
        design = ROOT / "services" / service / "DESIGN.md"
        if not design.exists():
            complain(f"services/{service}: has no DESIGN.md")
            continue
        named_here = code_map(design.read_text())
        for source in sorted(f for f in files if f.startswith(f"services/{service}/") and f.endswith((".c", ".cc"))):
            if Path(source).stem not in named_here:
                complain(f"services/{service}/DESIGN.md: ## Code does not name {Path(source).name}")


def check_tests(document, files, complain):
    for file, name in TEST.findall((ROOT / document).read_text()):
        if file not in files or not re.search(rf"\b{name}\b", (ROOT / file).read_text()):
            complain(f"{document}: names the test {file}::{name}, which is not in the tree")


def rows(text, heading):
    """The rows of the first table below a heading, without its head: lists of cells."""
    part = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"(?m)^\|.*\|$", part)][2:]


def check_proofs(readme, proofs, complain):
    for heading in re.findall(r"(?m)^## (.+)$", proofs):
        for row in rows(proofs, heading):
            if not TEST.search(row[-1]):
                complain(f"docs/PROOFS.md: no test for \"{row[0]}\"")
    promised, proven = ([row[0] for row in rows(text, GUARANTEES)] for text in (readme, proofs))
    for what in promised:
        if what not in proven:
            complain(f"docs/PROOFS.md: the README's row \"{what}\" is not there")
    if not promised or promised != proven:
        complain(f"docs/PROOFS.md: \"{GUARANTEES}\" has not the rows of the README's table, in their order")


def check_architecture(files, complain):
    architecture = ROOT / "ARCHITECTURE.md"
    if not architecture.exists():
        return
    text = architecture.read_text()
    for folder in sorted({str(Path(f).parent) for f in files if re.match(r"(common|services)/.*CMakeLists\.txt$", f)}):
        if folder not in text and not re.search(rf"\b{re.escape(Path(folder).name)}/", text):
            complain(f"ARCHITECTURE.md: does not name the folder {folder}")


def main():
    problems, files = [], tracked()
    documents = [Path(f) for f in sorted(files) if f.endswith(".md") and not f.startswith("tests/data/")]
    for document in documents:
        check_names(document, files, problems.append)
        check_tests(document, files, problems.append)
    check_proofs((ROOT / "README.md").read_text(), (ROOT / "docs/PROOFS.md").read_text(), problems.append)
    check_services(files, problems.append)
    check_architecture(files, problems.append)
    print("\n".join(problems))
    print(f"{len(documents)} documents, {len(problems)} findings")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
