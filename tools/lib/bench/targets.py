# SPDX-License-Identifier: Apache-2.0
"""What was to be reached and what was: collected by the parts, printed at the end."""


class Targets:
    def __init__(self):
        self.rows = []

    def at_least(self, name, value, target, unit="", aim=None):
        verdict = "MISSED" if value < target else "reached" if aim is None or value >= aim else f"reached (aim {aim:g})"
        self._add(name, value, "at least", target, unit, verdict)

    def at_most(self, name, value, target, unit=""):
        self._add(name, value, "at most", target, unit, "reached" if value <= target else "MISSED")

    def _add(self, name, value, words, target, unit, verdict):
        self.rows.append((verdict, f"{value:.3g}{unit}" if value < 100 else f"{value:.0f}{unit}", f"{words} {target:g}{unit}", name))

    def show(self):
        """The missed ones last, where they are seen."""
        rows = sorted(self.rows, key=lambda row: row[0] == "MISSED")
        missed = sum(row[0] == "MISSED" for row in rows)
        table("Targets", ("", "measured", "asked", "what"), rows, last_left=True)
        print(f"\n{len(rows) - missed} of {len(rows)} targets reached" + (f", {missed} missed" if missed else ""))


def table(title, heads, rows, note="", last_left=False):
    print(f"\n== {title} ==")
    if note:
        print(note)
    rows = [tuple(str(cell) for cell in row) for row in rows]
    widths = [max([len(head)] + [len(row[i]) for row in rows]) for i, head in enumerate(heads)]
    left = {0, len(heads) - 1} if last_left else {0}
    for row in [heads] + rows:
        cells = [cell.ljust(widths[i]) if i in left else cell.rjust(widths[i]) for i, cell in enumerate(row)]
        print("  " + "  ".join(cells).rstrip())
    print(end="", flush=True)
