"""Wall time, by which metadata expires."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

BACK = timedelta(minutes=5)  # that a clock may be set back, as time servers do


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def set_back(last: str, now: datetime) -> str:
    """Why it cannot be ``now``, in words, when it was ``last`` (ISO 8601) before; empty when it can."""
    if last and now < datetime.fromisoformat(last) - BACK:
        return f"the clock says {now.isoformat(timespec='seconds')}, but it was {last} before; set it"
    return ""
