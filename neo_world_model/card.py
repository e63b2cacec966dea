"""The model card: ``README.md`` beside a model, made of ``model.json``, the weights and judged figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open

from neo_world_model import config
from neo_world_model.checkpoint import SHIPPED, WEIGHTS
from neo_world_model.episode import EVENTS
from neo_world_model.made import changes
from neo_world_model.modalities import table
from neo_world_model.runtime import card, settings

README = "README.md"
MARKS = {True: "yes", False: "**no**", None: ""}


@dataclass(frozen=True)
class Measured:
    """A held-out figure: its name and value, what it is, its target in words, and whether that ``holds``."""

    name: str
    value: float
    title: str
    target: str = ""
    holds: bool | None = None


def sizes(folder: Path) -> dict[str, int]:
    """Part of the network → numbers in it, largest first."""
    count: Counter[str] = Counter()
    with safe_open(folder / WEIGHTS, "np") as file:
        for name in file.keys():  # noqa: SIM118  no mapping
            count[name.split(".")[0]] += int(np.prod(file.get_slice(name).get_shape(), initial=1))
    return dict(count.most_common())


def document(folder: Path, measured: Sequence[Measured]) -> str:
    """The card of the model in ``folder``."""
    about, s, parts = card(folder), settings(folder), sizes(folder)
    made = about.get("made", {})
    sections = [
        f"# {folder.name}: a world model of NEO Humanoid",
        _what(s),
        "## Files\n\n" + _files(folder),
        f"## Size\n\n{sum(parts.values()):,} numbers.\n\n" + _table(("part", "numbers"), _grouped(parts)),
        "## Data\n\n" + _data(made, s.held_out),
        "## Training\n\n" + _training(about, made, s),
        "## Held-out figures\n\n" + _figures(measured, s.held_out),
        "## Limits\n\n" + _limits(about, made, s),
        "## Licence\n\nApache-2.0, as the rest of this repository.",
    ]
    return "\n\n".join(sections) + "\n"


def _what(s: Any) -> str:
    past, ahead = s.context / table()["rate"], s.horizon / table()["rate"]
    return (
        f"One network, trained from scratch, without any pretrained part. It senses {', '.join(s.senses)}, "
        f"remembers {past:g} s, imagines {ahead:g} s of what a plan of actions leads to, tells what that "
        "means (falls, slips, collides, hidden) and what to do for a prompt. How it works: "
        "`docs/explanation/world-model.md`. To use it: `neo up planner:=world_model`, "
        "`neo do PROMPT --planner world_model`, `neo foretell PROMPT`."
    )


def _files(folder: Path) -> str:
    rows = [
        (f"`{name}`", what, f"{(folder / name).stat().st_size / 1e6:.2f}")
        for name, what in SHIPPED.items()
        if (folder / name).is_file()
    ]
    return _table(("file", "holds", "MB"), rows)


def _data(made: dict[str, Any], held_out: int) -> str:
    stores = made.get("stores", [])
    if not stores:
        return "Not written down when it was trained."
    rows = []
    for store in stores:
        whole = {"source": "", "kind": "all", **store}
        for row in (whole, *store["rows"]):
            share = "" if row["success"] is None else f"{row['success']:.0%}"
            counts = (f"{row['episodes']:,}", f"{row['steps']:,}", f"{row['hours']:.2f}")
            rows.append((store["name"], row["source"], row["kind"], *counts, share))
    seeds = ", ".join(
        f"{store['name']} {store['seeds'][0]} to {store['seeds'][1]}" for store in stores if store["seeds"]
    )
    head = ("store", "source", "kind", "episodes", "steps", "hours", "succeeded")
    return _table(head, rows) + f"\n\nSeeds: {seeds}. Every {held_out}th episode was kept from training."


def _training(about: dict[str, Any], made: dict[str, Any], s: Any) -> str:
    _, other = changes(s, "")
    recipe = made.get("recipe") or "none, the defaults"
    before = made.get("before") or {}
    took = f"{about['step']:,} steps, {about['seconds'] / 60:.0f} min"
    lines = [
        f"Recipe {recipe}, seed {s.seed}; {took} on {made.get('machine') or 'a machine that nobody noted'}; "
        f"commit `{made.get('commit') or 'unknown'}`. To do it again, where the stores are:",
        f"```\n{made.get('command', 'unknown')}\n```",
        "Settings that are not the defaults of `neo_world_model/training.yaml`:",
        _table(("setting", "value", "default"), [(k, v, _default(k)) for k, v in other.items()]),
    ]
    if before:
        lines.append("Runs whose weights it began with, the last first:")
    while before:
        took = f"{before['step']:,} steps, {before['seconds'] / 60:.0f} min"
        episodes = sum(row["episodes"] for store in before.get("stores", []) for row in store["rows"])
        lines += [
            f"{took} on {episodes} episodes, commit `{before.get('commit') or 'unknown'}`:",
            f"```\n{before.get('command', 'unknown')}\n```",
        ]
        before = before.get("before") or {}
    return "\n\n".join(lines)


def _default(name: str) -> Any:
    return getattr(config.load(), name)


def _figures(measured: Sequence[Measured], held_out: int) -> str:
    rows = [(m.name, f"{m.value:.3f}", m.target, MARKS[m.holds], m.title) for m in measured]
    return (
        _table(("figure", "measured", "target", "holds", "what it is"), rows)
        + f"\n\nOn every {held_out}th episode of the stores above, which it was not trained on. What it does "
        "when it acts, and on seeds that nobody trained on: `neo bench world-model`, `docs/benchmarks.md`."
    )


def _limits(about: dict[str, Any], made: dict[str, Any], s: Any) -> str:
    sources = sorted({row["source"] for store in made.get("stores", []) for row in store["rows"]})
    only = "in simulation only" if sources in ([], ["sim"]) else f"on {', '.join(sources)} only"
    bare = [name for name in EVENTS if name not in about["figures"].get("calibration", {})]
    lines = [
        f"Trained {only}. Nothing here has been run on a real robot.",
        "It knows this robot, its cameras and a table within reach. Another body needs another training.",
        "It knows prompts of the kind in `neo_world_model/prompts.yaml`, about things by colour and class; "
        "other words are bytes to it, and it does not say that it did not understand.",
        f"It imagines {s.horizon / table()['rate']:g} s. What takes longer is foretold by nobody.",
        "Chances are of single steps, calibrated on average over held-out ones, not for each thing and "
        f"place. Not calibrated, for want of examples: {', '.join(bare) or 'none'}.",
        "It is no safety device: the drives and the safety state machine protect people without it.",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _grouped(parts: dict[str, int]) -> list[tuple[str, str]]:
    return [(name, f"{count:,}") for name, count in parts.items()]


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
