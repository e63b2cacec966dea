"""What the people who live with the robot allow to leave it: ``privacy.yaml``.

    log: true                  # the decimated log: states, no pictures
    clips: true                # clips that campaigns ask for
    images: false              # pictures in clips, faces covered
    until: 2027-01-01          # consent ends by itself; local date, inclusive
    no_go: ["22:00-07:00"]     # local times: nothing recorded in them leaves, nor is anything sent in them
    daily_bytes: 200000000     # what may leave a day

No file, nothing leaves. It is read anew before every single thing that would leave.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from neo_description.errors import NeoError
from neo_flywheel import files

SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
DAY = 24 * 60  # minutes


@dataclass(frozen=True)
class Privacy:
    """As in ``privacy.yaml``; made without arguments it allows nothing."""

    log: bool = False
    clips: bool = False
    images: bool = False
    until: date | None = None
    no_go: tuple[str, ...] = ()
    daily_bytes: int = 0

    @staticmethod
    def load(file: Path) -> Privacy:
        """What ``file`` allows: nothing when it is missing; NeoError when it cannot be understood."""
        try:
            rows = yaml.safe_load(file.read_text())
        except FileNotFoundError:
            return Privacy()
        except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
            raise NeoError(f"cannot read {file}, so nothing leaves: {' '.join(str(error).split())}") from None
        try:
            return Privacy.parse(rows)
        except NeoError as error:
            raise NeoError(f"{file}: {error}; nothing leaves") from None

    @staticmethod
    def parse(rows: Any) -> Privacy:
        """From what a file holds; NeoError says what is wrong."""
        names = [row.name for row in fields(Privacy)]
        if not isinstance(rows, dict) or not set(rows) <= set(names):
            raise NeoError(f"{rows!r}; fields are {', '.join(names)}")
        for name in ("log", "clips", "images"):
            if not isinstance(rows.get(name, False), bool):
                raise NeoError(f"{name} {rows[name]!r}; true or false")
        until = rows.get("until")
        if until is not None and (isinstance(until, datetime) or not isinstance(until, date)):
            raise NeoError(f"until {until!r}; a date as 2027-01-01 is allowed")
        spans = rows.get("no_go", ())
        if not isinstance(spans, (list, tuple)) or not all(
            isinstance(span, str) and SPAN.fullmatch(span) for span in spans
        ):
            raise NeoError(f"no_go {spans!r}; a list of times as 22:00-07:00 is allowed")
        size = rows.get("daily_bytes", 0)
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise NeoError(f"daily_bytes {size!r}; a whole number, 0 or more, is allowed")
        return Privacy(**{**rows, "no_go": tuple(spans)})

    def save(self, file: Path) -> None:
        """Writes ``file``, whole or not at all."""
        rows = {row.name: getattr(self, row.name) for row in fields(self)}
        rows["no_go"] = list(self.no_go)
        files.write(file, yaml.safe_dump(rows, sort_keys=False).encode())

    def refuses(self, kind: str, now: datetime) -> str:
        """Why nothing of ``kind`` (log, clips, images) may leave ``now`` (local time); empty when it may."""
        if not getattr(self, kind):
            return f"no consent to {kind}"
        if self.until is not None and now.date() > self.until:
            return f"the consent ended with {self.until}"
        if self.in_no_go(now):
            return f"a no-go time: {', '.join(self.no_go)}"
        return ""

    def in_no_go(self, time: datetime) -> bool:
        """Whether ``time`` (local) lies in a no-go time; a span over midnight is one."""
        minute = time.hour * 60 + time.minute
        return any(_inside(minute, *_minutes(span)) for span in self.no_go)

    def touches_no_go(self, first: datetime, last: datetime) -> bool:
        """Whether any moment from ``first`` to ``last`` (local times) lies in a no-go time."""
        if self.no_go and last - first >= timedelta(days=1):
            return True
        if self.in_no_go(first) or self.in_no_go(last):
            return True
        begin = first.hour * 60 + first.minute
        length = (last - first).total_seconds() / 60.0 + 1.0
        return any((_minutes(span)[0] - begin) % DAY < length for span in self.no_go)


def _minutes(span: str) -> tuple[int, int]:
    match = SPAN.fullmatch(span)
    assert match is not None
    a, b, c, d = map(int, match.groups())
    return 60 * a + b, 60 * c + d


def _inside(minute: int, first: int, last: int) -> bool:
    """From ``first`` up to, not including, ``last``; equal ends are the whole day."""
    return first <= minute < last if first < last else minute >= first or minute < last
