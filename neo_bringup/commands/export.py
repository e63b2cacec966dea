"""``neo export``: a world model for ONNX Runtime."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "write a world model's graphs for ONNX Runtime beside its weights: neo export runs/train/first"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="folder of a run, or of a model that ships")


def run(args: argparse.Namespace) -> int:
    """0: written. NeoError (2): no model there."""
    from neo_world_model import checkpoint
    from neo_world_model.export import export

    model, _ = checkpoint.load(args.model)
    export(model, args.model)
    for file in sorted(args.model.glob("*.onnx")):
        print(f"{file} ({file.stat().st_size / 1e6:.1f} MB)")
    return 0
