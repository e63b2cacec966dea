"""Makes ``lift.png``: load, grip and slip of one lift, over time.

python docs/pictures/lift.py
"""

from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
import matplotlib.pyplot as plt

from neo_bringup.hand_bench.hold_trial import LIFT, LIFT_TIME, HoldTrial, shaking, smooth
from neo_description.objects import registry
from neo_description.tables import CONTROL_DT, CONTROL_RATE

THING = replace(registry()["red_bottle"], mass=0.5, friction=0.5)
SEED = 4


def main() -> None:
    """One lift, hold and shake."""
    trial = HoldTrial(THING, SEED)
    env, hand = trial.env, trial.env.hands[trial.side]
    rows: list[tuple[float, ...]] = []

    def note() -> None:
        feeling = hand.feeling
        assert feeling is not None
        rows.append((
            feeling.load, hand.status.grip_target, feeling.load / feeling.friction, feeling.friction,
            feeling.slip, trial.privileged_sliding(),
        ))  # fmt: skip

    trial.close()
    begun = len(env.privileged_force[trial.side])
    for seconds, target in (
        (0.3, lambda u, t: trial.at(0.0)),
        (LIFT_TIME, lambda u, t: trial.at(0.0, LIFT * smooth(u))),
        (1.5, lambda u, t: trial.at(0.0, LIFT)),
        (2.0, lambda u, t: trial.at(0.0, LIFT) + shaking(t)),
    ):
        env.run(seconds, target, lambda: note() is not None)
    load, goal, threshold, friction, slip, sliding = np.array(rows).T
    t = np.arange(len(rows)) / CONTROL_RATE
    grip = np.convolve(env.privileged_force[trial.side][begun:], np.full(10, 0.1), mode="same")

    figure, (forces, below) = plt.subplots(2, 1, figsize=(9, 6), sharex=True, height_ratios=(3, 1))
    forces.plot(t, grip, color="tab:blue", label="grip: true sum of the pads' normal forces, 20 ms mean")
    forces.plot(t, goal, color="tab:blue", linestyle="--", linewidth=1, label="grip the hand wants")
    forces.plot(t, threshold, color="tab:red", linewidth=1, label="slip threshold: load over friction felt")
    forces.plot(t, load, color="tab:green", label="load that friction carries, felt")
    forces.axhline(THING.mass * 9.81, color="tab:green", linestyle=":", linewidth=1, label="weight (true)")
    forces.set_ylabel("N")
    forces.legend(loc="upper left", fontsize=8)
    forces.set_title(f"Lifting {THING.mass} kg with friction {THING.friction}, which the hand does not know")
    below.plot(t, friction, color="tab:purple", label="friction believed")
    below.axhline(THING.friction, color="tab:purple", linestyle=":", linewidth=1, label="friction (true)")
    below.plot(t, slip, color="tab:orange", linewidth=0.8, label="probability of sliding")
    below.plot(
        t, 1e2 * np.cumsum(sliding) * CONTROL_DT, color="black", linewidth=1, label="slid way (true, cm)"
    )
    below.set_ylim(0.0, 1.1)
    below.set_xlabel("s")
    below.legend(loc="upper right", fontsize=8, ncols=2)
    for x in np.cumsum([0.3, LIFT_TIME, 1.5]):
        for axes in (forces, below):
            axes.axvline(x, color="grey", linewidth=0.5)
    figure.tight_layout()
    file = Path(__file__).with_name("lift.png")
    figure.savefig(file, dpi=110)
    print(f"wrote {file}")


if __name__ == "__main__":
    main()
