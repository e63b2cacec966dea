"""Is the probability of sliding right? Fits it on some lifts and checks it on others (privileged truth).

python -m neo_bringup.hand_bench.slip [lifts]

prints the fitted ``slip_bias`` and ``slip_weight`` of ``neo_hand_control/parameters.yaml`` and, on lifts it
was not fitted to, how often the thing slid when the hand said so with 0-10 %, 10-20 %, …
"""

from __future__ import annotations

import sys

import numpy as np

from neo_bringup import output
from neo_bringup.hand_bench.hold_trial import LIFT, LIFT_TIME, HoldTrial, drawn, shaking, smooth
from neo_bringup.hand_bench.trials import SLIDES, things
from neo_description.signals import GraspPhase

BINS = 10


def samples(name: str, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Trembling, probability and whether it slid (k,), every tick of one lift, hold and shake."""
    trial = HoldTrial(drawn(things("tuned")[name], seed), seed, "rl"[seed % 2])
    env, hand = trial.env, trial.env.hands[trial.side]
    rows: list[tuple[float, float, bool]] = []

    def note() -> bool:
        feeling = hand.feeling
        if env.phase() == GraspPhase.HOLDING and feeling is not None and feeling.normal > 0.5:
            rows.append((feeling.trembling, feeling.slip, trial.privileged_sliding() > SLIDES))
        return False

    trial.close()
    env.run(LIFT_TIME, lambda u, t: trial.at(0.0, LIFT * smooth(u)), note)
    env.run(1.0, lambda u, t: trial.at(0.0, LIFT), note)
    env.run(1.5, lambda u, t: trial.at(0.0, LIFT) + shaking(t), note)
    x, p, y = np.array(rows, float).reshape(-1, 3).T
    return x, p, y > 0.5


def fit(x: np.ndarray, slid: np.ndarray) -> tuple[float, float]:
    """Logistic regression by Newton's method: bias and weight of ``x`` (k,)."""
    A, w = np.column_stack([np.ones_like(x), x]), np.zeros(2)
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-np.clip(A @ w, -30.0, 30.0)))
        H = (A * (p * (1.0 - p))[:, None]).T @ A / len(x) + 1e-6 * np.eye(2)
        w -= np.linalg.solve(H, A.T @ (p - slid) / len(x))
    return float(w[0]), float(w[1])


def counts(p: np.ndarray, slid: np.ndarray) -> np.ndarray:
    """(BINS, 3): ticks, sum of probabilities, ticks that slid, by probability."""
    at = np.minimum((p * BINS).astype(int), BINS - 1)
    return np.array([[float(k.sum()), float(p[k].sum()), float(slid[k].sum())]
                     for k in (at == i for i in range(BINS))])  # fmt: skip


def calibration_error(table: np.ndarray) -> float:
    """Expected calibration error: mean distance of said and true share, weighted by ticks."""
    n = np.maximum(table[:, 0], 1.0)
    return float((table[:, 0] * np.abs(table[:, 1] - table[:, 2]) / n).sum() / max(table[:, 0].sum(), 1.0))


def main() -> None:
    """Fit on even lifts, check on odd ones."""
    lifts = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    names = list(things("tuned"))
    drawn_ = []
    for seed in range(lifts):
        drawn_.append(samples(names[seed // 2 % len(names)], seed))
        output.progress(f"lift {seed + 1} of {lifts}")
    x, _, slid = (np.concatenate(rows) for rows in zip(*drawn_[::2], strict=True))
    bias, weight = fit(x, slid)
    print(f"fitted: slip_bias {bias:.2f}, slip_weight {weight:.2f}; {slid.mean():.1%} of {len(x)} ticks slid")
    x, said, slid = (np.concatenate(rows) for rows in zip(*drawn_[1::2], strict=True))
    fitted = 1.0 / (1.0 + np.exp(-(bias + weight * x)))
    for label, p in (("as it is", said), ("as fitted", fitted)):
        table = counts(p, slid)
        print(f"{label}: calibration error {calibration_error(table):.3f}")
        for i, (n, sum_p, sum_y) in enumerate(table):
            if n:
                print(f"  {i / BINS:.1f}: said {sum_p / n:.2f}, slid {sum_y / n:.2f}, {n:.0f} ticks")


if __name__ == "__main__":
    main()
