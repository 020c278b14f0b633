# SPDX-License-Identifier: Apache-2.0
"""What was to be reached and what was: collected by the parts, printed at the end."""


class Targets:
    def __init__(self):
        self.rows = []

    def at_least(self, name, value, target, unit=""):
        self._add(name, value, ">=", target, unit, value >= target)

    def at_most(self, name, value, target, unit=""):
        self._add(name, value, "<=", target, unit, value <= target)

    def _add(self, name, value, sign, target, unit, reached):
        self.rows.append((name, f"{value:.4g}{unit}", f"{sign} {target:g}{unit}", "reached" if reached else "MISSED"))

    def show(self):
        table("Targets", ("target", "measured", "asked", ""), self.rows)
        missed = sum(row[3] == "MISSED" for row in self.rows)
        print(f"\n{len(self.rows) - missed} targets reached, {missed} missed")


def table(title, heads, rows, note=""):
    print(f"\n== {title} ==")
    if note:
        print(note)
    rows = [tuple(str(cell) for cell in row) for row in rows]
    widths = [max([len(head)] + [len(row[i]) for row in rows]) for i, head in enumerate(heads)]
    for row in [heads] + rows:
        cells = [cell.ljust(widths[i]) if i == 0 else cell.rjust(widths[i]) for i, cell in enumerate(row)]
        print("  " + "  ".join(cells).rstrip())
    print(end="", flush=True)
