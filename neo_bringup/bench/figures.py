"""Figures and their targets: ``benchmarks/targets.yaml`` says what each is compared with."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from neo_description.errors import NeoError

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
}


@dataclass(frozen=True)
class Target:
    """``compare`` is one of >=, <=, ==, or empty for a figure only reported."""

    figure: str
    title: str
    unit: str = ""
    compare: str = ""
    target: float | None = None

    def text(self) -> str:
        return f"{self.compare} {self.target:g}" if self.target is not None else "–"


@dataclass(frozen=True)
class Figure:
    """A measured value over ``n`` samples. ``note``: what people should know about it."""

    id: str
    value: float
    n: int
    note: str = ""


def targets(file: Path) -> dict[str, Target]:
    """Figure → target of ``file``; NeoError when it is broken."""
    try:
        rows = yaml.safe_load(file.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise NeoError(f"cannot read the targets from {file}: {' '.join(str(error).split())}") from None
    found = {}
    for figure, row in rows.items():
        target = Target(figure=figure, **row)
        if target.compare not in ("", *COMPARE) or bool(target.compare) != (target.target is not None):
            raise NeoError(f"{file}: {figure}: compare {target.compare!r} with {target.target}; >=, <= or ==")
        found[figure] = target
    return found


def holds(figure: Figure, target: Target) -> bool | None:
    """Whether the target is met; None for a figure without one. NaN and no samples never meet one."""
    if target.target is None:
        return None
    if figure.n == 0 or not math.isfinite(figure.value):
        return False
    return COMPARE[target.compare](figure.value, target.target)


def quantile(values: list[float], q: float) -> float:
    """The ``q`` quantile (0..1) by linear interpolation; NaN of nothing."""
    if not values:
        return math.nan
    ordered = sorted(values)
    at = q * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])
