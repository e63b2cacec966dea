"""A run's folder: what was asked for, where training stands, the model as it may travel.

    settings.yaml        every setting
    model.safetensors    weights
    model.json           settings, calibration, figures, how it was made
    latest.safetensors   weights, optimiser, step: to resume
    events.out.tfevents… for TensorBoard

Nothing here is a pickle: reading a run runs nothing.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch.nn.functional import pad

from neo_description.errors import NeoError
from neo_world_model import config
from neo_world_model.made import shareable
from neo_world_model.policy import Policy
from neo_world_model.runtime import ACT, CARD, ENCODE, IMAGINE, READ, WHERE, card
from neo_world_model.world_model import WorldModel

WEIGHTS, LATEST, SETTINGS = "model.safetensors", "latest.safetensors", "settings.yaml"
SHIPPED = {  # what a robot or a next training needs, and nothing else
    WEIGHTS: "weights, to train on with `--set start=DIR`",
    CARD: "settings, calibration, figures, how it was made",
    ENCODE: "senses of a step → state",
    IMAGINE: "states and actions → states to come, events, doubt",
    READ: "state → senses, picture",
    WHERE: "pictures and prompt → where things are",
    ACT: "state and prompt → actions, progress, goal",
}
OF_THE_RUN = ("stores", "device", "sharding", "minutes", "steps")  # may differ when a run is resumed


def _replace(file: Path, write: Any) -> None:
    """``write(path)`` beside ``file``, then in one move: a cut-off writer leaves the old file."""
    new = file.with_name(file.name + ".new")
    write(new)
    os.replace(new, file)


def begin(folder: Path, settings: SimpleNamespace) -> dict[str, Any] | None:
    """Make or open a run's folder; the training state of a run that is there, to be resumed.

    NeoError when the folder holds a run with other settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / SETTINGS
    mine = {k: v for k, v in vars(settings).items() if k not in OF_THE_RUN}
    if file.exists():
        theirs = {k: v for k, v in yaml.safe_load(file.read_text()).items() if k not in OF_THE_RUN}
        other = [k for k in mine if mine[k] != theirs.get(k)]
        if other:
            was = ", ".join(f"{k} {theirs.get(k)} (now {mine[k]})" for k in other)
            raise NeoError(f"{folder} holds a run with other settings: {was}; give another folder")
    _replace(file, lambda new: new.write_text(yaml.safe_dump(vars(settings))))
    return resumable(folder)


def resumable(folder: Path) -> dict[str, Any] | None:
    """The training state of a run as :func:`save` got it, None when there is none."""
    if not (folder / LATEST).exists():
        return None
    with safe_open(folder / LATEST, "pt") as file:
        about = json.loads(file.metadata()["about"])
        state: dict[str, Any] = {"model": {}, "optimizer": {"state": {}, **about.pop("optimizer")}, **about}
        for key in file.keys():  # noqa: SIM118  no mapping
            kind, name, what = key.split("/")
            if kind == "model":
                state["model"][name] = file.get_tensor(key)
            else:
                state["optimizer"]["state"].setdefault(name, {})[what] = file.get_tensor(key)
    return state


def save(folder: Path, state: dict[str, Any], settings: SimpleNamespace, about: dict[str, Any]) -> None:
    """``state``: model, optimizer, step, seconds as one process would hold them."""
    tensors = {f"model/{name}/": value.contiguous() for name, value in state["model"].items()}
    for name, values in state["optimizer"]["state"].items():
        tensors |= {f"optimizer/{name}/{what}": value.contiguous() for what, value in values.items()}
    groups = {"param_groups": state["optimizer"]["param_groups"]}
    metadata = {
        "about": json.dumps({"optimizer": groups, "step": state["step"], "seconds": state["seconds"]})
    }
    _replace(folder / LATEST, lambda new: save_file(tensors, new, metadata))
    weights = {name: value.contiguous() for name, value in state["model"].items()}
    _replace(folder / WEIGHTS, lambda new: save_file(weights, new))
    _write_card(folder, {**about, "settings": vars(settings)})


def _write_card(folder: Path, about: dict[str, Any]) -> None:
    text = json.dumps({**about, "settings": shareable(about["settings"])}, indent=2) + "\n"
    _replace(folder / CARD, lambda new: new.write_text(text))


def stores(folder: Path) -> list[str]:
    """The stores that the run in ``folder`` trains on; NeoError for a model without its run."""
    try:
        return yaml.safe_load((folder / SETTINGS).read_text())["stores"]
    except OSError:
        raise NeoError(f"{folder} is no run: it does not say where its data is; give --store") from None


def ship(run: Path, folder: Path) -> None:
    """Put what the run knows of a model into ``folder``: weights and card. The graphs are ``export``'s."""
    about = card(run)
    if folder.resolve() != run.resolve():
        folder.mkdir(parents=True, exist_ok=True)
        _replace(folder / WEIGHTS, lambda new: shutil.copyfile(run / WEIGHTS, new))
    _write_card(folder, about)


def load(folder: Path | str) -> tuple[WorldModel, dict[str, Any]]:
    """The model of a run or of ``models/``, ready to be asked, and its card; NeoError when not whole."""
    about = card(Path(folder))
    model = WorldModel(config.load(**about["settings"]))
    fill(model, folder)
    return model.eval(), about


ADDED = {f"policy.{name}" for name in Policy.ADDED}


def fill(model: WorldModel, folder: Path | str, but: Collection[str] = ()) -> None:
    """Give ``model`` the weights in ``folder``, all parts ``but`` some; NeoError when they do not fit.

    Inputs that a layer has got since, behind those it had, and layers that are in :data:`ADDED`
    count for nothing until they are learned.
    """
    try:
        weights = load_file(Path(folder) / WEIGHTS)
    except OSError as error:
        raise NeoError(f"no weights in {folder}: {error}") from None
    own = {name: value for name, value in model.state_dict().items() if name.partition(".")[0] in but}
    theirs = {name: value for name, value in weights.items() if name.partition(".")[0] not in but}
    for name, wanted in model.state_dict().items():
        had = theirs.get(name)
        if had is None and name in ADDED:
            theirs[name] = wanted
        if had is not None and wanted.ndim == had.ndim == 2 and len(wanted) == len(had):
            theirs[name] = pad(had, (0, max(wanted.shape[1] - had.shape[1], 0)))
    try:
        model.load_state_dict(theirs | own)
    except RuntimeError as error:
        raise NeoError(f"the weights in {folder} do not fit this version: {str(error)[:300]}") from None
