"""``neo retarget``: landmarks of a person, or a film of one, as episodes for training."""

from __future__ import annotations

import argparse
from pathlib import Path

from neo_bringup.output import progress
from neo_description.errors import NeoError
from neo_teleop.retargeting.landmark_track import LandmarkTrack
from neo_world_model.episode import Episode

HELP = "a person's hands and body, as landmarks or on film, as episodes: neo retarget a.jsonl --store DIR"
OUTCOMES = {"": None, "done": True, "failed": False}
REASONS = 5  # why something was left out, the most frequent
BY = ("none", "teleop")
EVERY = 300  # moments between two lines of progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "track",
        type=Path,
        help="landmark track (JSON lines), or a file of EgoDex (HDF5); with --provider, where it is written",
    )
    parser.add_argument(
        "--video", type=Path, help="the film that the track is of; its pictures become the episodes'"
    )
    parser.add_argument(
        "--provider", default="", metavar="COMMAND",
        help="program that finds landmarks in --video, with {video} and {track} where the files stand",
    )  # fmt: skip
    parser.add_argument("--store", type=Path, help="add the episodes to this store, which `neo train` reads")
    parser.add_argument(
        "--bags", type=Path, help="write each episode as a recording (MCAP) under this folder"
    )
    parser.add_argument(
        "--prompt", default="", help="what the person did, in words; default: what the track says"
    )
    parser.add_argument("--outcome", default="", choices=OUTCOMES, help="how it ended; default: nobody said")
    parser.add_argument(
        "--by", default="none", choices=BY,
        help="who is said to have chosen the actions; of teleop, and done, policies learn; default: none",
    )  # fmt: skip
    parser.add_argument(
        "--confidence", type=float, default=0.5, help="landmarks below it count as not seen; default 0.5"
    )


def run(args: argparse.Namespace) -> int:
    """0: episodes written. NeoError (2): no episode, or something could not be read."""
    from neo_bringup.collect import retargeted
    from neo_teleop.retargeting.follow import FAR, follow

    if args.store is None and args.bags is None:
        raise NeoError("nowhere to write to; give --store FOLDER, --bags FOLDER, or both")
    if not 0.0 <= args.confidence <= 1.0:
        raise NeoError(f"--confidence {args.confidence}; 0 to 1 allowed")
    track = _track(args)
    found = follow(track, args.confidence, _moments)
    for why, count in found.left_out.most_common(REASONS):
        progress(f"left out {count} times: {why}")
    if found.far:
        progress(f"in {found.far} of {len(track.moments)} moments an arm cannot follow within {FAR:g} m")
    prompt = args.prompt or str(track.about.get("prompt", ""))
    made = list(retargeted.episodes(found.motions, args.video, prompt, OUTCOMES[args.outcome], args.by))
    if not made:
        raise NeoError(
            f"no episode in {args.track}: {len(track.moments)} moments give {len(found.motions)} motions, "
            f"none of {retargeted.SHORTEST} steps of {retargeted.STEP:g} s that the film covers"
        )
    _write(args, made)
    steps = sum(len(episode) for episode in made)
    print(f"{args.track}: {len(made)} episodes of {steps} steps, {prompt or '-'}")
    return 0


def _track(args: argparse.Namespace) -> LandmarkTrack:
    from neo_teleop.retargeting import egodex
    from neo_teleop.retargeting.video import provide
    from neo_world_model.sources.egodex import words

    if args.video is not None and not args.video.is_file():
        raise NeoError(f"{args.video} does not exist")
    if args.track.suffix == egodex.SUFFIX and not args.provider:
        track = egodex.load(args.track)
        track.about["prompt"] = words(args.track)
        return track
    if not args.provider:
        return LandmarkTrack.load(args.track)
    if args.video is None:
        raise NeoError("--provider needs the film in which it looks: --video FILM")
    progress(f"looking for landmarks in {args.video}")
    return provide(args.provider, args.video, args.track)


def _write(args: argparse.Namespace, made: list[Episode]) -> None:
    if args.store is not None:
        from neo_world_model.store import Store

        store = Store.create(args.store)
        for episode in made:
            store.add(episode)
    if args.bags is not None:
        from neo_flywheel.message_types import installed
        from neo_flywheel.store import episode_bag

        begin = int(args.track.stat().st_mtime_ns)
        for number, episode in enumerate(made):
            folder = args.bags / f"{args.track.stem}-{number:03d}"
            episode_bag.save(episode, folder, installed(), "person", begin, {"track": args.track.name})
            begin += (len(episode) + 1) * 10**8


def _moments(done: int, of: int) -> None:
    if done % EVERY == 0 or done == of:
        progress(f"{done} of {of} moments")
