"""``fleet.json``: what came of each round, made anew of what its steps left behind."""

from __future__ import annotations

from typing import Any

import numpy as np

from neo_bringup.fleet import held_out
from neo_bringup.fleet.choose import Recorded
from neo_bringup.fleet.settings import Place
from neo_flywheel import files

STEPS = ("begun", "acted", "settled", "ingested", "learned", "released")


def read(place: Place) -> list[dict[str, Any]]:
    """A row a round, the first first; empty when none has begun."""
    file = place.root / "fleet.json"
    return files.read_json(file, "fleet")["rounds"] if file.exists() else []


def write(place: Place, number: int) -> None:
    """Writes the row of round ``number`` anew; those before stay."""
    earlier = [row for row in read(place) if row["round"] < number]
    later = [row for row in read(place) if row["round"] > number]
    files.write_json(place.root / "fleet.json", {"rounds": [*earlier, _row(place, number), *later]})


def _row(place: Place, number: int) -> dict[str, Any]:
    folder = place.round(number)
    done = {
        name: files.read_json(folder / f"{name}.json", "round")
        for name in STEPS
        if (folder / f"{name}.json").exists()
    }
    row: dict[str, Any] = {
        "round": number,
        "step": next((name for name in STEPS if name not in done), "done"),
        "seconds": {name: round(step["seconds"], 3) for name, step in done.items()},
        "choose": done.get("begun", {}).get("choose", ""),
    }
    if "acted" in done:
        row |= _field(place, done["acted"]["turns"])
    if "ingested" in done:
        sent = done["ingested"]
        row["uploaded"] = {"episodes": len(sent["taken"]), "steps": sent["steps"], "bytes": sent["bytes"]}
        row["quarantined"] = sent["quarantined"]
    before = done.get("settled", {}).get("running", "")
    row["before"] = {"version": before, **held_out.rate(held_out.known(place, before))}
    if "learned" in done:
        row["gate"] = {name: done["learned"][name] for name in ("passed", "reasons", "notes", "figures")}
    if "released" in done:
        released = done["released"]
        row["released"] = {name: released[name] for name in ("version", "stage", "why")}
        row["versions"] = released["versions"]
    after = str(number) if row.get("gate", {}).get("passed") else before
    tried = held_out.known(place, after)
    row["after"] = {"version": after, **held_out.rate(tried)}
    row["difference"] = held_out.difference(held_out.known(place, before), tried)
    return row


def _field(place: Place, turns: list[dict[str, Any]]) -> dict[str, Any]:
    """What robots did in their turns, and what of it stays with them."""
    folders = [place.robot(turn["robot"]) / "outbox" / name for turn in turns for name in turn["new"]]
    every = [Recorded.of(folder) for folder in folders]
    surprises = [one.surprise for one in every if one.surprise is not None]
    steps = sum(one.steps for one in every)
    return {
        "field": {
            "episodes": len(every),
            "alone": sum(one.alone for one in every) / len(every) if every else None,
            "autonomy": 1.0 - sum(one.taken_over for one in every) / steps if steps else None,
            "surprise": float(np.mean(surprises)) if surprises else None,
        },
        "recorded": {"episodes": len(every), "steps": steps, "bytes": sum(one.bytes for one in every)},
        "stays": {turn["robot"]: _why(turn) for turn in turns if turn["stays"]},
        "errors": {turn["robot"]: turn["errors"] for turn in turns if turn["errors"]},
    }


def _why(turn: dict[str, Any]) -> list[str]:
    """Why chosen episodes did not leave, each reason once."""
    return sorted({line.partition(": ")[2] for line in turn["stays"]})


def versions(place: Place) -> dict[str, str]:
    """Robot → the version that it said last to act with."""
    found = {}
    for folder in sorted((place.root / "robots").iterdir()):
        file = place.release / "reports" / f"{folder.name}.json"
        said = files.read_json(file, "report")["release"] if file.exists() else ""
        found[folder.name] = said.partition("@")[0]
    return found


def kept(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what no two runs have alike: how long its steps took."""
    return {name: value for name, value in row.items() if name != "seconds"}


def say_volume(volume: dict[str, Any]) -> str:
    """For people."""
    return f"{volume['episodes']} ep, {volume['bytes'] / 1e6:.1f} MB"


def _percent(rate: dict[str, Any]) -> str:
    if rate.get("value") is None:
        return "–"
    return f"{100 * rate['value']:.0f} % [{100 * rate['low']:.0f}, {100 * rate['high']:.0f}]"


COLUMNS = (
    "round", "step", "alone", "autonomy", "surprise", "recorded", "uploaded", "gate", "released", "before",
    "after", "difference", "versions", "minutes",
)  # fmt: skip


def cells(row: dict[str, Any]) -> dict[str, str]:
    """``COLUMNS`` of a row as text."""
    field, gate, released = row.get("field", {}), row.get("gate"), row.get("released")
    shares = {
        name: "–" if field.get(name) is None else f"{100 * field[name]:.0f} %"
        for name in ("alone", "autonomy", "surprise")
    }
    running = list(row.get("versions", {}).values())
    counts = {version: running.count(version) for version in sorted(set(running))}
    return {
        "round": str(row["round"]),
        "step": row["step"],
        **shares,
        "recorded": say_volume(row["recorded"]) if "recorded" in row else "–",
        "uploaded": say_volume(row["uploaded"]) if "uploaded" in row else "–",
        "gate": "–" if gate is None else "passed" if gate["passed"] else "refused",
        "released": "–"
        if not released or not released["version"]
        else f"{released['version']} ({released['stage']})",
        "before": _percent(row["before"]),
        "after": _percent(row["after"]),
        "difference": _percent(row["difference"]),
        "versions": ", ".join(f"{n} × {version or 'none'}" for version, n in counts.items()) or "–",
        "minutes": f"{sum(row['seconds'].values()) / 60:.1f}",
    }


def read_progress(place: Place) -> str:
    """The last line that was said."""
    file = place.root / "progress.json"
    return files.read_json(file, "progress")["said"] if file.exists() else ""


def remarks(row: dict[str, Any]) -> list[str]:
    """What a person should know of a round, a line each."""
    found = []
    gate, released = row.get("gate"), row.get("released")
    if gate is not None:
        verdict = "the gate passed" if gate["passed"] else "the gate refused"
        said = gate["reasons"] or gate["notes"] or ["all checks hold"]
        found.append(f"{verdict}: {'; '.join(said)}")
    if released and released["stage"]:
        found.append(f"roll-out at {released['stage']}: {released['why']}")
    for robot, reasons in row.get("stays", {}).items():
        found.append(f"{robot} keeps its data: {'; '.join(reasons)}")
    for robot, errors in row.get("errors", {}).items():
        found.append(f"{robot} could not act {len(errors)} times: {errors[0]}")
    for key, reason in row.get("quarantined", {}).items():
        found.append(f"quarantined {key}: {reason}")
    return found
