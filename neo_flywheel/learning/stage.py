"""A stage of work in a folder of its own: done once, gone on with after a kill.

made = stage.done(folder, "train", {"steps": 500}, work, say)

folder/train/inputs.json    what the stage was begun with
folder/train/result.json    what ``work`` gave, written in one move when it was done
folder/train/…              what ``work`` keeps there, to go on from
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neo_description.errors import NeoError
from neo_flywheel import files

INPUTS, RESULT = "inputs.json", "result.json"
Say = Callable[[str], None]


def done(
    folder: Path, name: str, inputs: dict[str, Any], work: Callable[[Path], dict[str, Any]], say: Say
) -> dict[str, Any]:
    """The result of ``work(folder / name)``: at once where it is there, worked out otherwise.

    ``inputs`` and the result must be JSON. ``work`` is called again in the same folder after a kill, and goes
    on from what it finds there. NeoError when the folder holds the stage with other inputs, or another
    process works there.
    """
    place = folder / name
    given = json.loads(json.dumps(inputs))
    with files.lock(place, f"stage {name}"):
        if (place / INPUTS).exists():
            _check(place, files.read_json(place / INPUTS, f"stage {name}"), given)
        else:
            files.write_json(place / INPUTS, given)
        if (place / RESULT).exists():
            say(f"{name}: done before")
        else:
            say(f"{name}: {place}")
            files.write_json(place / RESULT, work(place))
        return files.read_json(place / RESULT, f"stage {name}")


def _check(place: Path, was: dict[str, Any], now: dict[str, Any]) -> None:
    other = [key for key in sorted({*was, *now}) if was.get(key) != now.get(key)]
    if other:
        words = ", ".join(f"{key} {was.get(key)} (now {now.get(key)})" for key in other)
        raise NeoError(f"{place} was begun with other inputs: {words}; give another folder")
