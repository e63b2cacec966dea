"""``neo export``: a world model for ONNX Runtime, with its card."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neo_world_model.card import Measured

HELP = "a world model's graphs and card: neo export runs/train/first --out models/neo"
TARGETS = Path(__file__).parents[2] / "benchmarks" / "targets.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="folder of a run, or of a model that ships")
    parser.add_argument(
        "--out", type=Path, help="put all that a robot or a next training needs there; default: beside"
    )


def run(args: argparse.Namespace) -> int:
    """0: written. NeoError (2): no model there."""
    from neo_world_model import card, checkpoint
    from neo_world_model.export import export

    model, about = checkpoint.load(args.model)
    out = args.out or args.model
    checkpoint.ship(args.model, out)
    export(model, out)
    (out / card.README).write_text(card.document(out, judged(about["figures"])))
    for name in (*checkpoint.SHIPPED, card.README):
        if (out / name).is_file():
            print(f"{out / name} ({(out / name).stat().st_size / 1e6:.1f} MB)")
    return 0


def judged(figures: dict[str, Any]) -> list[Measured]:
    """The figures that are numbers, each beside its target in ``benchmarks/targets.yaml`` if it has one."""
    from neo_bringup.bench.figures import Figure, Target, holds, targets
    from neo_bringup.commands.eval import meaning
    from neo_world_model.card import Measured

    known = targets(TARGETS) if TARGETS.is_file() else {}
    out = []
    for name, value in figures.items():
        if not isinstance(value, float):
            continue
        wanted = f"world_model.{name}"
        target = known.get(wanted, Target(wanted, meaning(name)))
        words = f"{target.text()} {target.unit}".strip() if target.target is not None else ""
        out.append(Measured(name, value, target.title, words, holds(Figure(wanted, value, 1), target)))
    return out
