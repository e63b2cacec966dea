"""The roles of both repositories: keys, thresholds, how long what they sign is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """Of a role: keys, how many of them must sign, days until its metadata expires, paths when delegated."""

    keys: int
    threshold: int
    days: float
    paths: tuple[str, ...] = ()


Rules = Mapping[str, Rule]
# A star of TUF stops at a stroke: canary/VERSION/FILE.
IMAGE: Rules = {
    "root": Rule(3, 2, 365.0),
    "targets": Rule(1, 1, 90.0),
    "canary": Rule(1, 1, 30.0, ("canary/*/*",)),
    "snapshot": Rule(1, 1, 7.0),
    "timestamp": Rule(1, 1, 1.0),
}
DIRECTOR: Rules = {
    "root": Rule(3, 2, 365.0),
    "targets": Rule(1, 1, 7.0),
    "snapshot": Rule(1, 1, 7.0),
    "timestamp": Rule(1, 1, 1.0),
}
