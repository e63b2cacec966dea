"""Two rounds of a fleet: does it do more of what it is asked for, and are odd episodes worth more?

All arms share the first round, in which everything leaves. In the second, everything leaves once more
(``rounds``), or a share of the steps, the odd ones in one arm and as many drawn by chance in the other
(``mined``). It takes an hour and a half an arm on two cores; what is cut off goes on from ``folder``.
``NEO_MODEL`` names the first model, ``NEO_DATA`` stores to train on besides and ``NEO_REPLAY`` stores for the
gate alone, with ``:`` between them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from neo_bringup import engine
from neo_bringup.bench.figures import Figure
from neo_bringup.fleet import acting, held_out, learning
from neo_bringup.fleet.rounds import Learn, Rounds
from neo_bringup.fleet.settings import Place, Settings
from neo_world_model import shipped

QUICK = ()  # it takes hours
PARTS = ("rounds", "mined")
ARMS = {"rounds": ("all",), "mined": ("mined", "random")}
ROBOTS, PROMPTS, SHARE = 4, 10, 0.3
MINUTES, TRIALS = 12.0, 20
ACT, TRIAL = acting.ACT, acting.TRIAL
LEARN: Learn = learning.learn
Progress = Callable[[str], None]
Sample = dict[str, Any]


def measure(part: str, seed: int, folder: Path, progress: Progress) -> Sample:
    """One of ``PARTS``; both share what lies beside ``folder``."""
    with engine.make("local") as jobs:
        begun = _begun(seed, folder.parent, jobs, progress)
        return {how: _second(begun, folder.parent / how, how, jobs, progress) for how in ARMS[part]}


def _begun(seed: int, folder: Path, jobs: engine.Engine, progress: Progress) -> Place:
    """A fleet after its first round."""
    place = Place(folder / "begun")
    if not (place.root / "settings.json").exists():
        model = str(Path(shipped.model(os.environ.get("NEO_MODEL", ""))).resolve())
        place.save(
            Settings(
                robots=ROBOTS, rounds=2, prompts=PROMPTS, model=model, minutes=MINUTES, trials=TRIALS,
                stores=_stores("NEO_DATA"), replays=_stores("NEO_REPLAY"), share=SHARE, seed=seed,
            )
        )  # fmt: skip
    _run(place, 1, jobs, progress)
    return place


def _stores(variable: str) -> tuple[str, ...]:
    return tuple(str(Path(word).resolve()) for word in os.environ.get(variable, "").split(":") if word)


def _second(begun: Place, folder: Path, how: str, jobs: engine.Engine, progress: Progress) -> Sample:
    """A copy of a fleet that goes on to its second round: its figures."""
    place = Place(folder)
    if not folder.exists():
        draft = folder.with_name(f".{folder.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(begun.root, draft)
        draft.rename(folder)
    place.save(replace(place.settings(), choose=how))
    first, second = _run(place, 2, jobs, lambda line: progress(f"{how}: {line}"))
    settings = place.settings()
    about = {name: getattr(settings, name) for name in ("prompts", "minutes", "trials", "seed")}
    return {
        "robots": settings.robots,
        "about": about | {"model": Path(settings.model).name},
        "before": held_out.known(place, first["before"]["version"]),
        "after": held_out.known(place, second["after"]["version"]),
        "learned": _learned(place, jobs, lambda line: progress(f"{how}: {line}")) if how != "all" else {},
        "steps": second["uploaded"]["steps"],
        "gates": [row["gate"]["passed"] for row in (first, second)],
        "silent_bytes": _silent_bytes(place),
    }


def _run(place: Place, rounds: int, jobs: engine.Engine, progress: Progress) -> list[dict[str, Any]]:
    return Rounds(place, place.settings(), LEARN, jobs, progress, ACT, TRIAL).run(rounds)


def _learned(place: Place, jobs: engine.Engine, progress: Progress) -> dict[str, bool]:
    """Held-out trials of what the second round learned, whether or not its gate let that pass."""
    name, model = "round-2", place.learning / "round-2" / "export" / "model"
    held_out.measure(place, name, place.settings().trials, TRIAL, jobs, progress, model)
    return held_out.known(place, name)


def _silent_bytes(place: Place) -> int:
    """What left the robot that consents to nothing."""
    name = place.settings().names[-1]
    return sum(note.stat().st_size for note in (place.inbox / "episode" / name).rglob("*"))


def figures(samples: dict[str, Sample]) -> list[Figure]:
    """Of the samples that there are."""
    arms: dict[str, list[Sample]] = {}
    for sample in samples.values():
        for how, arm in sample.items():
            arms.setdefault(how, []).append(arm)
    out = []
    if "all" in arms:
        out += _gains(arms["all"])
    if "mined" in arms:
        out += _mined(arms["mined"], arms["random"])
    return out


def _gains(arms: list[Sample]) -> list[Figure]:
    before, after = (_together(arms, when) for when in ("before", "after"))
    gain, n = held_out.difference(before, after), len(before)
    passed = sum(sum(arm["gates"]) for arm in arms)
    note = f"{passed} of {2 * len(arms)} gates passed"
    said = "; ".join(", ".join(f"{name} {value}" for name, value in arm["about"].items()) for arm in arms)
    return [
        Figure("flywheel.fleet_robots", min(arm["robots"] for arm in arms), len(arms), said),
        Figure("flywheel.fleet_before", _share(before), n),
        Figure("flywheel.fleet_after", _share(after), n, note),
        Figure("flywheel.fleet_gain", _number(gain["value"]), n),
        Figure("flywheel.fleet_gain_low", _number(gain["low"]), n),
        Figure("flywheel.fleet_silent_bytes", sum(arm["silent_bytes"] for arm in arms), len(arms)),
    ]


def _mined(mined: list[Sample], drawn: list[Sample]) -> list[Figure]:
    odd, chance = _together(mined, "after"), _together(drawn, "after")
    gain, n = held_out.difference(chance, odd), len(odd)
    learned = held_out.difference(_together(drawn, "learned"), _together(mined, "learned"))
    shares = " and ".join(f"{_share(_together(arms, 'learned')):.2f}" for arms in (mined, drawn))
    passed = " and ".join(f"{sum(arm['gates'][1] for arm in arms)} of {len(arms)}" for arms in (mined, drawn))
    volume = sum(arm["steps"] for arm in mined) / max(sum(arm["steps"] for arm in drawn), 1)
    return [
        Figure("flywheel.mined_gain", _number(gain["value"]), n, f"second gates passed: {passed}"),
        Figure("flywheel.mined_gain_low", _number(gain["low"]), n),
        Figure("flywheel.mined_learned", _number(learned["value"]), learned["trials"], f"{shares} done"),
        Figure("flywheel.mined_learned_low", _number(learned["low"]), learned["trials"]),
        Figure("flywheel.mined_volume", volume, len(mined)),
    ]


def _together(arms: list[Sample], when: str) -> dict[str, bool]:
    """Trials of all seeds of the benchmark, each by a name of its own."""
    return {f"{i}/{seed}": done for i, arm in enumerate(arms) for seed, done in arm[when].items()}


def _share(trials: dict[str, bool]) -> float:
    return float(np.mean(list(trials.values()))) if trials else float("nan")


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
