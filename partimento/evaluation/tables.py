"""The tables: published figures beside ours. `load_table` reads one, `Table.text` prints it.

`published.json` holds what papers report, with source and protocol; `results.json` holds our own
rows, each with the command, the seed and the hashes that make it again. A table has sections, and a
section has one protocol: figures of different sections must not be compared.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from partimento.errors import ParameterError

HERE = Path(__file__).parent
PUBLISHED, RESULTS = HERE / "published.json", HERE / "results.json"
TABLES = ("jsb16", "jsb", "nottingham", "piano-midi", "infilling", "vae", "gan")
NOTHING = "-"  # where a row has no figure
WIDEST_MODEL = 44


@dataclass(frozen=True)
class Section:
    """One protocol: columns, and the rows that may be compared.

    Attributes
    ----------
    name, unit, protocol : str
    columns : dict of str to str
        Field of a row, and how it is headed.
    published, ours : list of dict
        Rows: ``model``, and figures by field; published ones have a ``source``, ours ``command``,
        ``seed`` and hashes.
    goal : dict of str to float
    notes : list of str
    goal_is : str
        ``"at most"`` or ``"at least"``.
    """

    name: str
    unit: str
    protocol: str
    columns: dict[str, str]
    published: list[dict[str, Any]]
    ours: list[dict[str, Any]]
    goal: dict[str, float]
    notes: list[str]
    goal_is: str = "at most"

    def text(self) -> str:
        """Lay the section out in lines."""
        rows = [(row["model"], row, row.get("source", "")) for row in self.published]
        rows += [(f"* {row['model']}", row, "ours") for row in self.ours]
        if self.goal:
            rows.append((f"(goal, {self.goal_is})", self.goal, ""))
        headings = ["", *self.columns.values(), ""]
        lines = [[model, *(_figure(row.get(c)) for c in self.columns), s] for model, row, s in rows]
        table = _aligned([headings, *lines])
        told = [f"{self.name} ({self.unit}): {self.protocol}", "", *table]
        if not self.ours:
            told.append("* ours: not measured yet")
        told += ["", *self.notes] if self.notes else []
        for row in self.ours:
            told += ["", f"* {row['model']}: {_made(row)}"]
        return "\n".join(told)


@dataclass(frozen=True)
class Table:
    """A benchmark: sections that must not be mixed."""

    name: str
    title: str
    sections: list[Section]

    def text(self) -> str:
        """Lay the table out in lines."""
        return "\n\n".join([f"{self.name}: {self.title}", *(s.text() for s in self.sections)])

    def as_dict(self) -> dict[str, Any]:
        """Everything in plain values."""
        return {
            "benchmark": self.name,
            "title": self.title,
            "sections": {section.name: _plain(section) for section in self.sections},
        }


def load_table(name: str, results: Path = RESULTS) -> Table:
    """Read a table of the package.

    Parameters
    ----------
    name
        One of `TABLES`.
    results
        Where our rows lie.
    """
    check_table(name)
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))[name]
    ours = _read(results).get(name, {})
    sections = [
        Section(
            name=section,
            unit=about["unit"],
            protocol=about["protocol"],
            columns=about["columns"],
            published=about["rows"],
            ours=ours.get(section, []),
            goal=about.get("goal", {}),
            notes=about.get("notes", []),
            goal_is=about.get("goal_is", "at most"),
        )
        for section, about in published["sections"].items()
    ]
    return Table(name, published["title"], sections)


def check_table(name: str) -> None:
    """Raise `ParameterError` if there is no such table."""
    if name not in TABLES:
        raise ParameterError(f"the benchmarks are {', '.join(TABLES)}, got {name!r}")


def store_row(table: str, section: str, row: dict[str, Any], results: Path = RESULTS) -> None:
    """Keep a row of ours, in place of the one with the same name of the model, if there is one."""
    check_table(table)
    known = load_table(table, results)
    if section not in {found.name for found in known.sections}:
        raise ParameterError(f"the table {table} has no section {section!r}")
    everything = _read(results)
    rows = everything.setdefault(table, {}).setdefault(section, [])
    at = next((n for n, old in enumerate(rows) if old["model"] == row["model"]), len(rows))
    rows[at : at + 1] = [row]
    results.write_text(json.dumps(everything, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _read(results: Path) -> dict[str, Any]:
    if not results.is_file():
        return {}
    found: dict[str, Any] = json.loads(results.read_text(encoding="utf-8"))
    return found


def _plain(section: Section) -> dict[str, Any]:
    return {
        "unit": section.unit,
        "protocol": section.protocol,
        "columns": section.columns,
        "goal": section.goal,
        "goal_is": section.goal_is,
        "notes": section.notes,
        "published": section.published,
        "ours": section.ours,
    }


def _figure(value: Any) -> str:
    """Two figures are those of sources that differ."""
    if value is None:
        return NOTHING
    if isinstance(value, list):
        return " or ".join(_figure(one) for one in value)
    return f"{value:.3f}" if value < 1 else f"{value:.2f}"


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    widths[0] = min(widths[0], WIDEST_MODEL)
    last = len(widths) - 1
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column in (0, last) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def _made(row: dict[str, Any]) -> str:
    """Say how a row was made."""
    parts = [f"`{row['command']}`"] if "command" in row else []
    if "parameters" in row:
        parts.append(f"{row['parameters']:,} weights")
    if row.get("seed") is not None:
        parts.append(f"seed {_listed(row['seed'])}")
    if "steps" in row:
        parts.append(f"best at step {row['steps']:,}")
    if row.get("sha256"):
        parts.append(f"weights {_listed(row['sha256'])}")
    if "data_sha256" in row:
        parts.append(f"data {row['data_sha256'][:12]}")
    return ", ".join(parts) or "no record of how it was made"


def _listed(value: Any) -> str:
    """Write seeds or hashes; those of an ensemble are several."""
    return " + ".join(str(one)[:12] for one in (value if isinstance(value, list) else [value]))
