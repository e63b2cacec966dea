"""Landmarks of a film, from whichever program finds them: a landmark provider.

A provider is any program, in an environment of its own, that reads a film and writes a landmark track
(:mod:`neo_teleop.retargeting.landmark_track`). It is named by its command line:

    provide("venv/bin/python tools/mediapipe_landmarks.py {video} {track}", Path("a.mp4"), Path("a.jsonl"))
"""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from neo_description.errors import NeoError
from neo_teleop.retargeting.landmark_track import LandmarkTrack

PLACES = ("{video}", "{track}")
SAID = 5  # lines of a provider's last words that an error repeats


def provide(command: str, video: Path, track: Path) -> LandmarkTrack:
    """Runs the provider ``command`` on ``video``; what it wrote to ``track``, checked.

    ``command`` has ``{video}`` and ``{track}`` where the files stand; no shell runs it. NeoError when it
    lacks one, cannot be started, ends with another code than 0, or writes no track.
    """
    missing = [place for place in PLACES if place not in command]
    if missing:
        raise NeoError(f"the provider {command!r} names no {' and no '.join(missing)}; it must name both")
    if not video.is_file():
        raise NeoError(f"{video} does not exist")
    files = {"{video}": str(video), "{track}": str(track)}
    try:
        words = [_filled(word, files) for word in shlex.split(command)]
        track.parent.mkdir(parents=True, exist_ok=True)
        run = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
    except (OSError, ValueError) as error:
        raise NeoError(f"cannot start the provider {command!r}: {error}") from None
    if run.returncode:
        said = "\n".join(run.stderr.splitlines()[-SAID:])
        raise NeoError(f"the provider {words[0]} ended with {run.returncode}:\n{said}")
    return LandmarkTrack.load(track)


def _filled(word: str, files: dict[str, str]) -> str:
    for place, file in files.items():
        word = word.replace(place, file)
    return word
