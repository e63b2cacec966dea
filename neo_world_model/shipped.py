"""Where the model is that ships: ``models/neo`` of the checkout, or of the installed package."""

from __future__ import annotations

from pathlib import Path

from neo_description.errors import NeoError
from neo_world_model.runtime import CARD

MODEL = Path("models") / "neo"
SHARE = Path("share") / "neo_humanoid"
ROOM = Path(__file__).resolve().parent


def places() -> list[Path]:
    """Where it may be: beside the rooms of a checkout, or in ``share`` of a prefix that holds this room."""
    return [ROOM.parent / MODEL, *(above / SHARE / MODEL for above in ROOM.parents)]


def model(given: str = "") -> str:
    """The folder ``given``, or of the model that ships where none is; NeoError when there is none."""
    if given:
        return given
    for folder in places():
        if (folder / CARD).is_file():
            return str(folder)
    raise NeoError(
        f"no model is given and none ships here (no {MODEL} in the checkout or the package); train one "
        "(neo train, neo export) and give its folder: neo up model:=DIR"
    )
