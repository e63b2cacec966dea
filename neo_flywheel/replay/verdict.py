"""Is what a node said worth comparing, is it the same, and did it cost what it may?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neo_description.errors import NeoError
from neo_flywheel.replay import codec
from neo_flywheel.replay.codec import Codec
from neo_flywheel.replay.compare import MISSING, VALUE, Difference, topic_differences
from neo_flywheel.replay.source import Source
from neo_flywheel.replay.table import Row, type_of

Outputs = dict[str, list[bytes]]  # topic → messages in order


@dataclass
class Run:
    """What a node said to a bag. ``cpu``: s of CPU time, start left out.

    ``latency``: s of each answer; ``refused``: services that said no, and why; ``unanswered``: messages that
    drive, were to be answered and were not.
    """

    outputs: Outputs
    driven: int
    cpu: float
    latency: np.ndarray
    refused: list[str] = field(default_factory=list)
    unanswered: int = 0

    def cost(self) -> dict[str, float]:
        """``cpu_us`` of a driving message, ``latency_ms`` that 99 % of the answers keep."""
        if not self.driven:
            return {"cpu_us": 0.0, "latency_ms": 0.0}
        slow = float(np.percentile(self.latency, 99)) if len(self.latency) else 0.0
        return {"cpu_us": 1e6 * self.cpu / self.driven, "latency_ms": 1e3 * slow}


@dataclass
class Verdict:
    """``same`` when there is no reason against it; ``reasons`` for people, the first difference first."""

    node: str
    reasons: list[str]
    differences: list[Difference]
    cost: dict[str, float]
    counts: dict[str, int]  # messages by topic
    within: dict[str, float] = field(default_factory=dict)  # largest allowed cost

    @property
    def same(self) -> bool:
        return not self.reasons


def worth_sending(source: Source, row: Row) -> None:
    """NeoError when a bag is too short to say anything."""
    if source.driven < row.least:
        raise NeoError(
            f"{source.bag} has {source.driven} messages of {row.drive}; fewer than {row.least} say nothing"
        )


def worth_comparing(outputs: Outputs, row: Row, reader: Codec) -> None:
    """NeoError when a run was vacuous: nothing was said, or nothing was ever enabled."""
    silent = [topic for topic in row.outputs if not outputs.get(topic)]
    if silent:
        raise NeoError(f"{row.node} said nothing on {', '.join(silent)}; such a run says nothing")
    on = row.enabled
    kind = type_of(on.topic)
    if all(codec.at(reader.decode(data, kind), on.field) == on.idle for data in outputs[on.topic]):
        raise NeoError(
            f"{on.field} of {on.topic} was {on.idle} throughout: {row.node} was never enabled; such a run "
            "says nothing"
        )


def judge(
    row: Row,
    reference: Outputs,
    run: Run,
    old: Codec,
    new: Codec,
    budgets: bool = True,
    here: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> Verdict:
    """Compares every output; ``old`` and ``new`` read the reference and the run; ``budgets``: costs count.

    ``here``: the reference is of this kind of machine; of another the row's ``rounding`` is allowed.
    """
    differences: list[Difference] = []
    for topic, output in row.outputs.items():
        say(topic)
        given, got = reference.get(topic, []), run.outputs.get(topic, [])
        rounding = 0.0 if here else row.rounding
        differences += topic_differences(topic, output, given, got, old, new, rounding)
    differences.sort(key=lambda d: d.first)
    cost = run.cost()
    within = {"cpu_us": row.budget.cpu_us, "latency_ms": row.budget.latency_ms} if budgets else {}
    reasons = [words(d) for d in differences]
    for name, most in within.items():
        if cost[name] > most:
            reasons.append(f"{name} is {cost[name]:.0f}; at most {most:.0f} is allowed")
    counts = {topic: len(run.outputs.get(topic, [])) for topic in row.outputs}
    return Verdict(row.node, reasons, differences, cost, counts, within)


def words(found: Difference) -> str:
    """A difference in one line."""
    at = f"{1e-9 * found.first:.3f} s"
    if found.kind != VALUE:
        what = "missing" if found.kind == MISSING else "more than the reference has"
        return f"{found.topic}: {found.count} of {found.of} messages {what}, the first at {at}"
    where = found.field if found.index is None else f"{found.field}[{found.index}]"
    size = "" if math.isinf(found.most) else f" by up to {found.most:.6g} (mean {found.mean:.3g})"
    return (
        f"{found.topic}: {found.field} differs{size} in {found.count} of {found.of} messages, first at {at}; "
        f"{where} at {1e-9 * found.most_at:.3f} s: {_short(found.reference)} → {_short(found.fresh)}"
    )


def _short(value: Any) -> str:
    if value is None:
        return "not there"
    return f"{value:.8g}" if isinstance(value, float) else str(value)[:60] or "''"
