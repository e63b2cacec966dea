"""Filters of the catalogue → SQL that reads few rows of a million.

SQLite does not know how many rows a value has, so each condition that an index can serve is asked first, at
most ``PROBE`` rows of it; the one with the fewest rows leads. All indices but those of ranges are in order of
time and hold every column that is filtered by: what does not match is passed over without reading its row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from neo_description.errors import NeoError

PROBE = 5_000  # rows
RANGES = ("autonomy", "surprise")
DATASET = "(SELECT id FROM products WHERE kind = 'dataset' AND name = ?)"


@dataclass(frozen=True)
class Filters:
    """What rows must have; None and nothing: whatever. ``prompt``: words that are in it, in any case.

    ``since``, ``until``: s since the epoch. ``autonomy``, ``surprise``: least and greatest, either may be
    None; rows where it is not known are never in a range. ``tags``: all of them.
    """

    robot: str | None = None
    prompt: str | None = None
    outcome: str | None = None
    kind: str | None = None
    since: float | None = None
    until: float | None = None
    autonomy: tuple[float | None, float | None] = (None, None)
    surprise: tuple[float | None, float | None] = (None, None)
    tags: tuple[str, ...] = ()
    dataset: str | None = None

    def __post_init__(self) -> None:
        for name in RANGES:
            low, high = getattr(self, name)
            if low is not None and high is not None and low > high:
                raise NeoError(f"{name} from {low} to {high}; the first is the smaller one")


@dataclass(frozen=True)
class _Lead:
    """What a walk through the rows may begin with: ``rows`` counted up to PROBE."""

    source: str
    rows: int
    time: str = "e.time"
    where: str = ""
    given: tuple[object, ...] = ()
    instead: str = ""  # the condition that `where` stands for


Conditions = dict[str, tuple[str, list[object]]]


def find(db: sqlite3.Connection, filters: Filters, limit: int) -> list[int]:
    """Ids of the newest ``limit`` episodes that match, newest first."""
    conditions = _conditions(filters)
    lead = min(_leads(db, conditions), key=lambda lead: lead.rows)
    if lead.instead:
        del conditions[lead.instead]
    where = [*([lead.where] if lead.where else []), *(text for text, _ in conditions.values())]
    values = [*lead.given, *(value for _, given in conditions.values() for value in given)]
    text = (
        f"SELECT e.id FROM {lead.source} WHERE {' AND '.join(where) or '1'} ORDER BY {lead.time} DESC LIMIT ?"
    )
    return [row[0] for row in db.execute(text, [*values, limit])]


def _conditions(filters: Filters) -> Conditions:
    """Name → SQL and its values; a tag's name is ``tag NAME``."""
    found: Conditions = {}
    for name in ("robot", "kind", "outcome"):
        if getattr(filters, name) is not None:
            found[name] = f"e.{name} = ?", [getattr(filters, name)]
    if filters.prompt:
        text = "e.prompt IN (SELECT id FROM prompts WHERE text LIKE ? ESCAPE '\\')"
        found["prompt"] = text, [f"%{_escaped(filters.prompt)}%"]
    for name, sign, value in (("since", ">=", filters.since), ("until", "<=", filters.until)):
        if value is not None:
            found[name] = f"e.time {sign} ?", [value]
    for name in RANGES:
        low, high = getattr(filters, name)
        parts = [(sign, value) for sign, value in ((">=", low), ("<=", high)) if value is not None]
        if parts:
            text = " AND ".join(f"e.{name} {sign} ?" for sign, _ in parts)
            found[name] = text, [value for _, value in parts]
    for tag in filters.tags:
        text = "EXISTS (SELECT 1 FROM tags x WHERE x.tag = ? AND x.time = e.time AND x.episode = e.id)"
        found[f"tag {tag}"] = text, [tag]
    if filters.dataset is not None:
        text = f"EXISTS (SELECT 1 FROM dataset_episodes x WHERE x.dataset = {DATASET} AND x.episode = e.id)"
        found["dataset"] = text, [filters.dataset]
    return found


def _leads(db: sqlite3.Connection, conditions: Conditions) -> Iterator[_Lead]:
    when = [conditions[name] for name in ("since", "until") if name in conditions]
    source = "episodes AS e INDEXED BY episodes_time"
    yield _Lead(source, _probe(db, source, when) if when else PROBE + 1)
    for name, (text, given) in conditions.items():
        if name.startswith("tag "):
            rows = _probe(db, "tags AS e", [("e.tag = ?", given), *when])
            source = "tags AS t CROSS JOIN episodes AS e ON e.id = t.episode"
            yield _Lead(source, rows, "t.time", "t.tag = ?", tuple(given), name)
        elif name == "dataset":
            rows = _probe(db, "dataset_episodes AS e", [(f"e.dataset = {DATASET}", given)])
            if rows < PROBE:
                source = "dataset_episodes AS d CROSS JOIN episodes AS e ON e.id = d.episode"
                yield _Lead(source, rows, "e.time", f"d.dataset = {DATASET}", tuple(given), name)
        elif name in ("robot", "kind", "outcome"):
            source = f"episodes AS e INDEXED BY episodes_{name}"
            yield _Lead(source, _probe(db, source, [(text, given), *when]))
        elif name in ("prompt", *RANGES):
            source = f"episodes AS e INDEXED BY episodes_{name}"
            rows = _probe(db, source, [(text, given)])
            if rows < PROBE:  # they have to be sorted
                yield _Lead(source, rows)


def _probe(db: sqlite3.Connection, source: str, conditions: list[tuple[str, list[object]]]) -> int:
    where = " AND ".join(text for text, _ in conditions)
    values = [value for _, given in conditions for value in given]
    text = f"SELECT count(*) FROM (SELECT 1 FROM {source} WHERE {where} LIMIT {PROBE})"
    return db.execute(text, values).fetchone()[0]


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
