"""Makes ``thesis.png``: the seven ways of training of `neo bench thesis`, seed by seed.

python docs/pictures/thesis.py
"""

import json
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
import matplotlib.pyplot as plt

from neo_bringup.bench.thesis import ARMS

KEPT = Path(__file__).resolve().parents[2] / "benchmarks" / "kept" / "thesis.json"
NAMES = {
    "A": "A  mixture from step zero",
    "B": "B  video first",
    "B'": "B'  the same, rate warmed up again",
    "C": "C  robot data only",
    "C+": "C+  the same, all the compute",
    "D": "D  frozen video encoder",
    "E": "E  A without force and touch",
}
PANELS = (
    ("error_ratio_8", "error of states 0.8 s on\nover that of copying", 1.0),
    ("grip_rmse_n", "how hard a hand presses\n0.1 s ahead, RMSE (N)", None),
    ("auc_slips_next", "slips ranked 0.1 s ahead\n(AUC, chance 0.5)", 0.5),
    ("gripper_cm", "policy's gripper off\nthe teacher's (cm)", None),
)


def main() -> None:
    """A dot for each seed, a line at the mean."""
    samples = json.loads(KEPT.read_text())["samples"]
    seeds = sorted({key.split("/")[1] for key in samples})
    figure, axes = plt.subplots(1, len(PANELS), figsize=(11.0, 3.2), sharey=True, layout="constrained")
    rows = np.arange(len(ARMS))[::-1]
    for ax, (name, title, mark) in zip(axes, PANELS, strict=True):
        for y, arm in zip(rows, ARMS, strict=True):
            values = [samples[f"{arm}/{seed}"][name] for seed in seeds if f"{arm}/{seed}" in samples]
            colour = "tab:red" if arm == "A" else "tab:blue"
            ax.plot(values, [y] * len(values), "o", ms=4, alpha=0.5, color=colour, mew=0)
            ax.plot([np.mean(values)] * 2, [y - 0.3, y + 0.3], color=colour, lw=2)
        if mark is not None:
            ax.axvline(mark, color="0.6", lw=0.8, ls=":")
        ax.set_title(title, fontsize=9)
        ax.set_xlim(left=0.0)
        ax.grid(axis="x", alpha=0.3)
    axes[0].set_yticks(rows, [NAMES[arm] for arm in ARMS], fontsize=9)
    file = Path(__file__).with_suffix(".png")
    figure.savefig(file, dpi=110)
    print(f"wrote {file}")


if __name__ == "__main__":
    main()
