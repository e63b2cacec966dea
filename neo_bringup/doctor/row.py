"""One line of the doctor's answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Status(StrEnum):
    """``missing`` stops the robot from running, ``warn`` does not."""

    OK = "ok"
    WARN = "warn"
    MISSING = "missing"


@dataclass(frozen=True)
class Row:
    """``what`` was looked at, what was ``found``, and ``cure``: how to get it when it is not ok."""

    what: str
    status: Status
    found: str
    cure: str = ""

    def as_dict(self) -> dict[str, str]:
        return {**asdict(self), "status": self.status.value}


def ok(what: str, found: str) -> Row:
    return Row(what, Status.OK, found)


def warn(what: str, found: str, cure: str) -> Row:
    return Row(what, Status.WARN, found, cure)


def missing(what: str, found: str, cure: str) -> Row:
    return Row(what, Status.MISSING, found, cure)
