"""The gate: may a candidate take the place of the running model?

    verdict = judge(Path("candidate"), Path("models/neo"), [Store("runs/held-out")], tasks)
    verdict.passed, verdict.reasons, verdict.lines

Asked in this order, cheapest first, ending where the first refuses: does it run at all (a process of its
own), is it quick, how wrong is it on recorded episodes that nobody trained on, how many held-out tasks does
it do. Both models get the same episodes and the same tasks, so what counts is each pair's difference.

A candidate is refused on a figure of ``gate.yaml`` when the interval of the difference

- lies beyond ``slack`` on the worse side: it is worse;
- reaches beyond ``margin``: that it is worse by so much is not excluded (non-inferiority, ICH E9 and E10).
  Recordings are no end in themselves: where they leave such a doubt, a candidate that does more of the
  held-out tasks, with an interval above nothing, passes all the same.

Where no model runs yet, the interval of the figure itself must be on the right side of ``least`` or ``most``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from neo_description.errors import NeoError
from neo_flywheel.learning import bootstrap, latency
from neo_flywheel.learning.replay import replayed
from neo_flywheel.update import health, release
from neo_world_model.runtime import Runtime, card
from neo_world_model.store import Store

CHECKS = Path(__file__).with_name("gate.yaml")
EPISODES = 5  # with a figure, that are needed to judge it
PATIENT = 120.0  # s for the examination: of a build machine, which may be busy
SUCCESS, POLICY = "success", "choices"
Tasks = Callable[[list[Path]], list[np.ndarray]]  # models → of each, (n,) bool: the same tasks in order
Say = Callable[[str], None]


@dataclass(frozen=True)
class Check:
    """A row of ``gate.yaml``."""

    figure: str
    better: str
    margin: float
    slack: float
    of: str
    why: str
    floor: float = 0.0
    least: float | None = None
    most: float | None = None
    always: bool = False
    needs: bool = True


@dataclass(frozen=True)
class Line:
    """A figure over ``n`` pairs: both means (``running`` None where no model runs), the difference and its
    95 % interval; of the figure itself where no model runs. ``reason``: why it refuses; empty: it does not.
    ``doubt``: that it is worse is not excluded.
    """

    figure: str
    n: int
    running: float | None
    candidate: float
    difference: float
    low: float
    high: float
    reason: str = ""
    doubt: str = ""


@dataclass
class Verdict:
    """``notes``: what was left out, or outweighed, and why."""

    reasons: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.reasons

    def row(self) -> dict[str, Any]:
        """As JSON, where what is no number is null."""
        row = {"passed": self.passed, **asdict(self)}
        for line in row["lines"]:
            numbers = {k: v for k, v in line.items() if isinstance(v, float) and not math.isfinite(v)}
            line.update(dict.fromkeys(numbers))
        return row

    def take(self, lines: Sequence[Line], patient: bool = False) -> bool:
        """Adds ``lines``; whether it goes on. Doubts end it, too, if it is not ``patient``."""
        self.lines += lines
        self.reasons += [line.reason for line in lines if line.reason]
        self.reasons += [line.doubt for line in lines if line.doubt and not patient]
        return self.passed


@cache
def checks() -> dict[str, Check]:
    """The rows of ``gate.yaml``."""
    return {name: Check(name, **row) for name, row in yaml.safe_load(CHECKS.read_text()).items()}


def judge(
    candidate: Path, running: Path | None, stores: Sequence[Store], tasks: Tasks | None, say: Say = print
) -> Verdict:
    """The verdict. ``tasks`` is called with the models where all else is well; None: no task is tried.

    NeoError when the running model does not run, there is nothing to replay, or the machine has no time.
    """
    verdict, models = Verdict(), [candidate, *([running] if running else [])]
    for model in models:
        if not model.is_dir():
            raise NeoError(f"no model folder {model}")
    if not any(store.episodes for store in stores):
        raise NeoError("nothing to replay: no held-out episode is given")
    say("does it run")
    verdict.reasons += unfit(candidate, running)
    if not verdict.passed:
        return verdict
    say("how long its graphs take")
    times = latency.paired([Runtime(model, threads=1) for model in models])
    if not verdict.take(_lines(times[0], times[1] if running else None)):
        return verdict
    say(f"{sum(len(store.episodes) for store in stores)} recorded episodes")
    try:
        rows = [replayed(candidate, stores)]
    except NeoError as error:
        verdict.reasons.append(str(error))
        return verdict
    rows += [replayed(model, stores) for model in models[1:]]
    lines = _lines(rows[0], rows[1] if running else None)
    doubts = [line.doubt for line in lines if line.doubt]
    if tasks is None and POLICY not in {line.figure for line in lines}:
        doubts.append(f"nobody judged what it does: no held-out task, fewer than {EPISODES} such recordings")
    if not verdict.take(lines, patient=True) or tasks is None:
        verdict.reasons += doubts
        verdict.notes += ["no held-out task was tried"] if verdict.passed else []
        return verdict
    done = [np.asarray(row, bool) for row in tasks(models)]
    success = compared(checks()[SUCCESS], done[0], done[1] if running else None)
    if verdict.take([success]) and success.low > 0.0:
        verdict.notes += [f"outweighed by held-out tasks, of which it does more: {doubt}" for doubt in doubts]
    else:
        verdict.reasons += doubts
    return verdict


def unfit(candidate: Path, running: Path | None) -> list[str]:
    """Why ``candidate`` cannot act at all. NeoError when the machine has no time to tell."""
    try:
        release.check_folder(candidate)
    except NeoError as error:
        return [str(error)]
    found = health.check(candidate, health.Limits(timeout=PATIENT), released=False)
    busy = [finding.words for finding in found if finding.check == health.BUSY]
    if busy:
        raise NeoError(f"the machine is too busy to examine {candidate}: {busy[0]}")
    wrong = [f"{finding.check}: {finding.words}" for finding in found if not finding.ok]
    if running and not wrong:
        before, now = (card(model)["figures"].get("quantiles", {}) for model in (running, candidate))
        lost = sorted(set(before) - set(now))
        if lost:
            wrong.append(f"surprise is no more calibrated for {', '.join(lost)}: train on such data, too")
    return wrong


def _lines(candidate: dict[str, np.ndarray], running: dict[str, np.ndarray] | None) -> list[Line]:
    """Of every figure that is there, or has to be."""
    lines = []
    for name, values in candidate.items():
        check, before = checks()[name], None if running is None else running[name]
        known = np.isfinite(values if before is None else before)
        if check.needs or int(known.sum()) >= EPISODES:
            lines.append(compared(check, values[known], None if before is None else before[known]))
    return lines


def compared(check: Check, candidate: np.ndarray, running: np.ndarray | None) -> Line:
    """The line of one figure; ``candidate`` and ``running`` (n,) in pairs, of success bool."""
    n, name = len(candidate), check.figure
    counted = candidate.dtype == bool
    if n < (1 if counted else EPISODES):
        return _refused(name, n, f"{name}: {n} pairs; {EPISODES} are needed")
    if not np.isfinite(candidate).all():
        return _refused(name, n, f"{name}: no finite number in {int((~np.isfinite(candidate)).sum())} of {n}")
    if running is None:
        found = bootstrap.rate(candidate) if counted else bootstrap.interval(candidate)
        line = Line(name, n, None, found.mean, found.mean, found.low, found.high)
        return replace(line, reason=_short(check, found))
    found = bootstrap.paired_rate(running, candidate) if counted else bootstrap.interval(candidate - running)
    line = Line(name, n, float(running.mean()), float(candidate.mean()), *found)
    reason, doubt = _worse(check, line)
    if check.always and not reason:
        reason = _short(check, bootstrap.interval(candidate))
    return replace(line, reason=reason, doubt=doubt)


def _refused(name: str, n: int, reason: str) -> Line:
    nan = float("nan")
    return Line(name, n, None, nan, nan, nan, nan, reason)


def _worse(check: Check, line: Line) -> tuple[str, str]:
    """The reason and the doubt; one of them at most."""
    assert line.running is not None
    unit = max(abs(line.running), check.floor) if check.of == "running" else 1.0
    ends = (line.low, line.high) if check.better == "lower" else (-line.high, -line.low)
    said = f"{line.running:.3g} → {line.candidate:.3g}, difference {_span(line)}"
    if ends[0] > check.slack * unit:
        return f"{check.figure} is worse: {said}", ""
    if ends[1] > check.margin * unit:
        return "", f"{check.figure} may be worse by {check.margin * unit:.3g} or more: {said} over {line.n}"
    return "", ""


def _short(check: Check, found: bootstrap.Interval) -> str:
    said = f"{check.figure} is {found.mean:.3g}, in {found.low:.3g} to {found.high:.3g}"
    if check.least is not None and found.low < check.least:
        return f"{said}; {check.least:g} or more is wanted"
    if check.most is not None and found.high > check.most:
        return f"{said}; {check.most:g} or less is wanted"
    return ""


def _span(line: Line) -> str:
    return f"{line.difference:+.3g} ({line.low:+.3g} to {line.high:+.3g})"
