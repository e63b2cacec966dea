"""``neo demo``: the robot stands up, does one prompt, and the result is scored."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from neo_bringup import output
from neo_bringup.demo import run as demo

HELP = "run the whole robot in simulation, give it a prompt, score and film it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    defaults = demo.DemoOptions()
    parser.add_argument("arguments", nargs="*", metavar="name:=value", help="further launch arguments")
    parser.add_argument("--prompt", default=defaults.prompt)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--scene", default=defaults.scene)
    parser.add_argument("--objects", default="", help="objects file, over neo_description/objects.yaml")
    parser.add_argument(
        "--planner", default=defaults.planner, help=f"world_model, scripted; default {defaults.planner}"
    )
    parser.add_argument("--directory", default="", help="run folder; default runs/TIME")
    parser.add_argument("--no-view", action="store_true", help="no browser console")
    parser.add_argument("--no-video", action="store_true", help="no film at the end")
    parser.add_argument("--gif", action="store_true", help="a small animated picture, too")
    output.add_json(parser, "the result")


def run(args: argparse.Namespace) -> int:
    """0: success; 1: not, and why; NeoError (2): could not run."""
    stream = sys.stderr if args.json == output.STDOUT else sys.stdout
    live = output.live(stream)
    shown = [""]

    def say(line: str) -> None:
        print(f"\r\x1b[K{line}" if live else line, file=stream, flush=True)

    def progress(line: str) -> None:
        phase = line.split("%")[1].split()[0] if "%" in line else line
        if live:
            print(f"\r\x1b[K{line}", file=stream, end="", flush=True)
        elif phase != shown[0]:
            shown[0] = phase
            print(line, file=stream, flush=True)

    options = demo.DemoOptions(
        prompt=args.prompt,
        scene=args.scene,
        objects_file=str(Path(args.objects).resolve()) if args.objects else "",
        seed=args.seed,
        planner=args.planner,
        directory=args.directory,
        view=not args.no_view,
        video=not args.no_video,
        gif=args.gif,
        launch=args.arguments,
    )
    outcome = demo.run(options, say, progress)
    if outcome.why:
        say(f"why not: {outcome.why}")
    say(f"bag: {outcome.folder}/bag")
    say(outcome.line())
    output.put_json(args.json, {"folder": str(outcome.folder), **outcome.summary(options)})
    return 0 if outcome.result.success else 1
