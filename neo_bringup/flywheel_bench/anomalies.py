"""Made-up episodes with the shape of real ones, and anomalies put into them: does the score find them?

An episode is a reach, a grasp, a lift and a way back, drawn anew in place, speed and force; senses are
mixtures of what happens, with noise. Anomalies last for some steps and are no larger than they must be to be
worth a look.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from neo_flywheel.mining import Miner
from neo_world_model.episode import Episode
from neo_world_model.modalities import PROVENANCE, part, shapes
from neo_world_model.store import Store

USUAL, TESTED = 60, 60  # episodes that say what is usual; that are scored, half of them with an anomaly
STEPS = 60  # 6 s
LATENT = 12
MIX_SEED = 1000
RECORDED = ("teacher", "noisy", "heavy", "rest", "edge", "slippery")  # of `neo collect`
NOTABLE = {"proprio": 0.2, "force": 0.2, "touch": 0.5}


def measure(seed: int, progress: Callable[[str], None]) -> dict[str, Any]:
    """AUROC over all anomalies, and for each kind against the same untouched episodes."""
    miner = Miner.fit([episode(seed * 10_000 + i) for i in range(USUAL)], seed)
    first = seed * 10_000 + USUAL
    untouched = [miner.score(episode(first + i)).total for i in range(TESTED // 2)]
    by_kind, every = {}, []
    for kind in KINDS:
        rng = np.random.default_rng((seed, len(kind), sum(map(ord, kind))))
        odd = []
        for i in range(TESTED // 2):
            made = episode(first + TESTED + i)
            KINDS[kind](made, rng)
            odd.append(miner.score(made).total)
        by_kind[kind] = auroc(untouched, odd)
        every += odd
        progress(f"mining, {kind}: AUROC {by_kind[kind]:.3f}")
    return {"auroc": auroc(untouched, every), "by_kind": by_kind, "n": len(untouched) + len(every)}


def measure_store(store: Path, seed: int, progress: Callable[[str], None]) -> dict[str, Any]:
    """The same on clips of recorded episodes (kinds in ``RECORDED``), a third of the episodes held out.

    Where a kind of anomaly would change nothing, as a grip where nothing is touched, the clip is left out.
    """
    rng = np.random.default_rng(seed)
    episodes = [row for row in _clips(Store(store)) if row]
    rng.shuffle(episodes)  # type: ignore[arg-type]
    n = len(episodes) * 2 // 3
    miner = Miner.fit([clip for row in episodes[:n] for clip in row], seed)
    held = [clip for row in episodes[n:] for clip in row]
    untouched = [miner.score(clip).total for clip in held]
    by_kind, every = {}, []
    for kind, change in KINDS.items():
        odd = []
        for clip in held:
            made = copy.deepcopy(clip)
            change(made, rng)
            if _changed(clip, made):
                odd.append(miner.score(made).total)
        by_kind[kind] = auroc(untouched, odd)
        every += odd
        progress(f"mining in {store}, {kind}: AUROC {by_kind[kind]:.3f} of {len(odd)}")
    return {"auroc": auroc(untouched, every), "by_kind": by_kind, "n": len(untouched) + len(every)}


def _clips(store: Store) -> Iterator[list[Episode]]:
    fields = ("proprio", "force", "touch", "touch_valid", "action", "provenance")
    for i, about in enumerate(store.episodes):
        if about["kind"] not in RECORDED:
            continue
        rows = {name: np.array(row) for name, row in store.window(i, 0, about["steps"], fields).items()}
        by = rows.pop("provenance")
        yield [
            Episode(about["source"], {k: v[at : at + STEPS] for k, v in rows.items()}, by[at : at + STEPS])
            for at in range(0, about["steps"] - STEPS + 1, STEPS)
        ]


def _changed(before: Episode, after: Episode) -> bool:
    """Whether anything is another by more than the sensors' noise."""
    return any(
        float(np.abs(after.fields[name] - before.fields[name]).max()) > NOTABLE[name] for name in NOTABLE
    )


def auroc(usual: list[float], odd: list[float]) -> float:
    """How often an odd one scores above a usual one, ties counting half (Mann & Whitney 1947)."""
    a, b = np.asarray(usual)[:, None], np.asarray(odd)[None]
    return float(np.mean((b > a) + 0.5 * (b == a)))


@cache
def _mixes() -> dict[str, np.ndarray]:
    """What happens → senses: the same robot in every episode."""
    rng = np.random.default_rng(MIX_SEED)
    return {
        name: rng.normal(0.0, 0.5, (LATENT, shapes()[name][0][0])) for name in ("proprio", "force", "action")
    }


def episode(seed: int) -> Episode:
    """A usual one."""
    rng = np.random.default_rng(seed)
    rows = {
        name: np.zeros((STEPS, *shape), kind) for name, (shape, kind) in shapes().items() if name != "vision"
    }
    rows["touch_valid"][:] = True
    knots = np.sort(rng.uniform(0.1, 0.9, 3)) * STEPS
    grasp, lift, back = knots
    time = np.arange(STEPS)
    goal = rng.normal(0.0, 1.0, (4, LATENT - 2))
    target = goal[np.searchsorted(knots, time)]
    hold = ((time > grasp) & (time < back)).astype(float) * rng.uniform(0.5, 1.5)
    load = ((time > lift) & (time < back)).astype(float) * rng.uniform(0.3, 1.0)
    x = np.zeros((STEPS, LATENT))
    x[0, :-2] = goal[0]
    speed = rng.uniform(0.15, 0.35)
    for t in range(1, STEPS):
        x[t, :-2] = (
            x[t - 1, :-2] + speed * (target[t - 1] - x[t - 1, :-2]) + rng.normal(0.0, 0.02, LATENT - 2)
        )
    x[:, -2] = np.convolve(hold, np.ones(3) / 3, "same")
    x[:, -1] = np.convolve(load, np.ones(3) / 3, "same")
    asked = np.concatenate([target, hold[:, None], load[:, None]], axis=1)
    for name, of in (("proprio", x), ("force", x), ("action", asked)):
        mixed = np.tanh(of @ _mixes()[name])
        noise = 0.0 if name == "action" else 0.05
        rows[name][:] = mixed + noise * rng.normal(size=mixed.shape)
    pads = rng.random((2, 19)) < 0.4
    push = x[:, None, None, None, -2] * pads * rng.uniform(0.5, 3.0, (2, 19))
    rows["touch"][..., 0] = push * (1 + 0.05 * rng.normal(size=(STEPS, shapes()["touch"][0][0], 2, 19)))
    rows["touch"][..., 1] = 0.2 * rows["touch"][..., 0]
    by = np.full(STEPS, PROVENANCE.index("policy"), np.int8)
    return Episode("sim", rows, by, prompt="pick up the red bottle", seed=seed)


def _when(rng: np.random.Generator, steps: int) -> slice:
    begin = int(rng.integers(5, STEPS - steps - 5))
    return slice(begin, begin + steps)


def push(made: Episode, rng: np.random.Generator) -> None:
    """The pelvis is shoved: 0.3 s of acceleration and turning."""
    at = _when(rng, 3)
    made.fields["proprio"][at, part("proprio", "pelvis_linear_acceleration")] += rng.choice([-1, 1], 3) * 1.5
    made.fields["proprio"][at, part("proprio", "pelvis_angular_velocity")] += rng.normal(0.0, 0.8, 3)


def collision(made: Episode, rng: np.random.Generator) -> None:
    """A wrist hits something."""
    side, at = rng.choice(["l", "r"]), _when(rng, 3)
    made.fields["force"][at, part("force", f"{side}_wrist_wrench")] += rng.normal(0.0, 1.5, 6)


def drop(made: Episode, rng: np.random.Generator) -> None:
    """What was held is gone: touch ends while the hand goes on holding."""
    touched = np.flatnonzero(made.fields["touch"][..., 0].max(axis=(1, 2, 3)) > 0.3)
    begin = int(touched[len(touched) // 3]) if len(touched) else STEPS // 2
    made.fields["touch"][begin:] = 0.0


def squeeze(made: Episode, rng: np.random.Generator) -> None:
    """The grip is three times what it should be, for half a second."""
    touched = np.flatnonzero(made.fields["touch"][..., 0].max(axis=(1, 2, 3)) > 0.3)
    begin = int(rng.choice(touched[: max(1, len(touched) - 5)])) if len(touched) else STEPS // 2
    made.fields["touch"][begin : begin + 5] *= 3.0


def stuck(made: Episode, rng: np.random.Generator) -> None:
    """Some joints stop for good while they are asked to move on."""
    joints = part("proprio", "body_joint_position")
    some = rng.choice(np.arange(joints.start, joints.stop), 6, replace=False)
    begin = int(rng.integers(10, STEPS // 2))
    made.fields["proprio"][begin:, some] = made.fields["proprio"][begin, some]


def slack(made: Episode, rng: np.random.Generator) -> None:
    """Two tendons tear."""
    tendons = part("force", "body_tendon_tension")
    some = rng.choice(np.arange(tendons.start, tendons.stop), 2, replace=False)
    made.fields["force"][int(rng.integers(10, STEPS - 10)) :, some] = -2.0


def jitter(made: Episode, rng: np.random.Generator) -> None:
    """A hand trembles for a second."""
    at = _when(rng, 10)
    for name in ("l_hand_joint_velocity", "l_hand_joint_position"):
        where = part("proprio", name)
        size = made.fields["proprio"][at, where].shape
        made.fields["proprio"][at, where] += rng.normal(0.0, 0.6, size).astype(np.float32)


KINDS: dict[str, Callable[[Episode, np.random.Generator], None]] = {
    "push": push, "collision": collision, "drop": drop, "squeeze": squeeze, "stuck": stuck, "slack": slack,
    "jitter": jitter,
}  # fmt: skip
