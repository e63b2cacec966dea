"""Runs a benchmark seed by seed, keeps what is done, and turns it into a table and JSON."""

from __future__ import annotations

import importlib
import json
import math
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from neo_bringup.bench.figures import Figure, Target, holds, targets
from neo_description.errors import NeoError
from neo_description.here import commit, machine

ROOT = Path(__file__).parents[2]
INTERNAL = ("browser", "figures", "harness", "report", "robot", "rooms")
CACHE = Path("runs") / "bench"


@dataclass(frozen=True)
class Request:
    """What to measure. ``part`` names one measurement: a seed, or ``seed/what``. ``folder`` is for logs.

    ``subject``: of whom, where a benchmark can measure one or another (its function ``subject`` says).
    """

    name: str
    seeds: tuple[int, ...]
    quick: bool
    scene: str
    objects: str
    folder: Path
    subject: str = ""

    def key(self) -> dict[str, Any]:
        """What must be equal for kept results to count."""
        names = ("name", "quick", "scene", "objects", "subject")
        return {name: getattr(self, name) for name in names}


@dataclass
class Results:
    """Samples by part, the commit each was measured at, the parts asked for, and the figures made of them."""

    request: Request
    samples: dict[str, dict[str, Any]] = field(default_factory=dict)
    commits: dict[str, str] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)


def benchmarks() -> list[str]:
    """Names of the benchmarks there are."""
    files = Path(__file__).parent.glob("[a-z]*.py")
    return sorted(f.stem.replace("_", "-") for f in files if f.stem not in INTERNAL)


def find(name: str) -> ModuleType:
    """The module of benchmark ``name``; NeoError lists the ones there are."""
    if name not in benchmarks():
        raise NeoError(f"no benchmark {name!r}; one of {', '.join(benchmarks())}, or docs")
    return importlib.import_module(f"neo_bringup.bench.{name.replace('-', '_')}")


def run(
    module: Any,
    request: Request,
    progress: Callable[[str], None],
    resume: bool,
    kept: Path | None = None,
    only: Collection[str] = (),
) -> Results:
    """Measures every part of ``request`` that is not kept yet in the file ``kept``.

    ``only``: parts that are named so, or have it in their name between strokes; figures are then of these
    and of what is kept. NeoError when a word names no part.

    A benchmark module has ``parts(request) -> list[str]``, ``measure(part, request, progress) -> dict``,
    ``figures(samples) -> list[Figure]`` and, where it measures one of many, ``subject() -> str``.
    """
    results = Results(request)
    kept = kept or request.folder / "partial.json"
    if resume:
        results.samples, results.commits = _read_kept(kept, request)
    every = module.parts(request)
    _check(only, every)
    parts = [part for part in every if not only or part in results.samples or _named(part, only)]
    results.parts = parts
    for i, part in enumerate(parts):
        if part in results.samples:
            progress(f"{part}: kept from before ({i + 1} of {len(parts)})")
            continue
        progress(f"{part} ({i + 1} of {len(parts)})")
        results.samples[part] = module.measure(part, request, progress)
        results.commits[part] = commit()
        _keep(kept, results)
    results.figures = module.figures({part: results.samples[part] for part in parts})
    return results


def _named(part: str, only: Collection[str]) -> bool:
    return part in only or bool(set(part.split("/")) & set(only))


def _check(only: Collection[str], parts: list[str]) -> None:
    unknown = [word for word in only if not any(_named(part, [word]) for part in parts)]
    if unknown:
        words = dict.fromkeys(word for part in parts for word in part.split("/"))
        raise NeoError(f"--only {', '.join(unknown)}; parts are named by {', '.join(words)}")


def _read_kept(file: Path, request: Request) -> tuple[dict[str, Any], dict[str, str]]:
    """Samples and commits by part; none where other settings were measured."""
    try:
        kept = json.loads(file.read_text())
    except (OSError, json.JSONDecodeError):
        return {}, {}
    return (kept["samples"], kept["commits"]) if kept["key"] == request.key() else ({}, {})


def _keep(file: Path, results: Results) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".new")
    kept = {"key": results.request.key(), "samples": results.samples, "commits": results.commits}
    partial.write_text(json.dumps(kept))
    partial.replace(file)


def known_targets(name: str, file: Path | None = None) -> dict[str, Target]:
    """The targets of benchmark ``name``: the figures whose id starts with its name."""
    rows = targets(file or ROOT / "benchmarks" / "targets.yaml")
    return {
        figure: target for figure, target in rows.items() if figure.split(".")[0] == name.replace("-", "_")
    }


def rows(results: Results, wanted: dict[str, Target]) -> list[tuple[Figure, Target, bool | None]]:
    """Each figure with its target; a target that nothing measured counts as missed."""
    measured = {figure.id: figure for figure in results.figures}
    extra = {f: Target(f, f) for f in measured if f not in wanted}
    table = []
    for name, target in {**wanted, **extra}.items():
        figure = measured.get(name, Figure(name, math.nan, 0, "not measured"))
        table.append((figure, target, holds(figure, target)))
    return table


def exit_code(table: list[tuple[Figure, Target, bool | None]]) -> int:
    """0 when every target holds, 1 when some fall short."""
    return 1 if any(ok is False for _, _, ok in table) else 0


def as_json(results: Results, table: list[tuple[Figure, Target, bool | None]]) -> dict[str, Any]:
    """The JSON of a run; a value that is no number is null."""
    figures = {
        figure.id: {
            "value": figure.value if math.isfinite(figure.value) else None,
            "unit": target.unit,
            "target": target.target,
            "ok": ok,
            "n": figure.n,
            **({"compare": target.compare} if target.compare else {}),
            **({"note": figure.note} if figure.note else {}),
        }
        for figure, target, ok in table
    }
    request = results.request
    return {
        "figures": figures,
        "machine": machine(),
        "commit": ", ".join(dict.fromkeys(results.commits[part] for part in results.parts)) or commit(),
        "benchmark": request.name,
        "seeds": list(request.seeds),
        "quick": request.quick,
        "scene": request.scene,
        "objects": request.objects,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "load_average": round(os.getloadavg()[0], 2),
    }
