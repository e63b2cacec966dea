"""``neo bench``: measures figures against their targets."""

from __future__ import annotations

import argparse
from pathlib import Path

from neo_bringup import output
from neo_bringup.bench import harness, report
from neo_bringup.bench.harness import CACHE, ROOT, Request
from neo_description.errors import NeoError

HELP = "measure figures against their targets: neo bench demo, hand, world-model, …"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", help=f"one of {', '.join(harness.benchmarks())}; docs writes docs/benchmarks.md"
    )
    parser.add_argument("--seeds", type=int, help="how many; default: the benchmark's own")
    parser.add_argument("--first-seed", type=int, default=0)
    output.add_json(parser, "the results")
    parser.add_argument("--quick", action="store_true", help="an answer within five minutes")
    parser.add_argument("--scene", default="kitchen_table")
    parser.add_argument("--objects", default="", help="objects file")
    parser.add_argument("--resume", action="store_true", help="go on where an interrupted run ended")
    parser.add_argument(
        "--kept", type=Path, metavar="FILE",
        help="keep what is measured there and go on from it: for figures that take several sittings",
    )  # fmt: skip
    parser.add_argument(
        "--only", action="append", default=[], metavar="PART",
        help="only these parts, as progress names them; may be repeated",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """0: all targets hold; 1: some fall short; NeoError (2): could not run."""
    if args.name == "docs":
        file = ROOT / "docs" / "benchmarks.md"
        file.write_text(
            report.document(ROOT / "benchmarks" / "results", ROOT / "benchmarks" / "targets.yaml")
        )
        print(f"wrote {file}")
        return 0
    module = harness.find(args.name)
    count = args.seeds if args.seeds is not None else module.SEEDS[1 if args.quick else 0]
    if count < 1:
        raise NeoError(f"--seeds {count}; at least 1")
    seeds = tuple(range(args.first_seed, args.first_seed + count))
    objects = str(Path(args.objects).resolve()) if args.objects else ""
    subject = module.subject() if hasattr(module, "subject") else ""
    folder = CACHE.resolve() / args.name
    request = Request(args.name, seeds, args.quick, args.scene, objects, folder, subject)
    resume = args.resume or bool(args.kept)
    results = harness.run(module, request, output.progress, resume, args.kept, args.only)
    table = harness.rows(results, harness.known_targets(args.name))
    if not output.put_json(args.json, harness.as_json(results, table)):
        report.show(table)
    return harness.exit_code(table)
