"""The server's side of a fleet: it begins one, takes in what robots sent, and rolls models out."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from neo_bringup.fleet.settings import ROUND, Place, Settings
from neo_description.errors import NeoError
from neo_description.here import commit
from neo_flywheel import files, recovery
from neo_flywheel.privacy import Privacy
from neo_flywheel.store.library import Library
from neo_flywheel.update import clock, release
from neo_flywheel.update.agreement import Settings as AgentSettings
from neo_flywheel.update.agreement import enrol
from neo_flywheel.update.fleet import Fleet, create_keys
from neo_flywheel.update.manifest import CANARY, STABLE
from neo_flywheel.update.report import own_key
from neo_flywheel.update.rollout import Gate, Rollout, Stage

Say = Callable[[str], None]
FIRST = "0"  # version of the model that a fleet begins with
GATE = Gate(soak=0.0, tasks=1)  # simulated robots have no hours
PATIENCE = 240.0  # s, and ms: this machine simulates many robots; how fast it is says nothing of one
ALLOWED = Privacy(log=True, clips=True, images=True, daily_bytes=500_000_000)


def fleet(place: Place) -> Fleet:
    """With this fleet's keys."""
    return Fleet(place.release, [place.keys])


def create(place: Place, settings: Settings, say: Say) -> None:
    """Keys, repositories, version 0 for all, robots' homes; what an earlier try made stays.

    The first robot is a canary; of two or more, the last consents to nothing.
    """
    say(f"version {FIRST} is {settings.model}")
    keep_model(place, FIRST, Path(settings.model))
    if not place.keys.exists():
        draft = place.keys.with_name(".keys.new")
        shutil.rmtree(draft, ignore_errors=True)
        create_keys(draft, clock.utc_now())
        draft.rename(place.keys)
    ours = fleet(place)
    ours.create()
    for name in settings.names:
        _home(place, name, settings)
        if name not in ours.robots() or not ours.believes(name):
            key = own_key(place.robot(name) / "agent", clock.utc_now())
            ours.add_robot(name, name == settings.names[0], key.private.with_suffix(".json"))
    _publish(place, FIRST, STABLE)
    if ours.rollout() is None:
        ours.begin(FIRST, STABLE, GATE, Stage.ALL)
    with Library(place.library) as library:
        library.catalogue.add_product("run", "before-the-fleet", about={"model": settings.model})
        library.catalogue.add_product("release", FIRST, [("run", "before-the-fleet")])


def _home(place: Place, name: str, settings: Settings) -> None:
    home = place.robot(name)
    (home / "outbox").mkdir(parents=True, exist_ok=True)
    if not (home / "privacy.yaml").exists():
        silent = settings.robots > 1 and name == settings.names[-1]
        (Privacy() if silent else ALLOWED).save(home / "privacy.yaml")
    if not (home / "agent" / "robot.json").exists():
        shutil.rmtree(home / "agent", ignore_errors=True)
        image, director = place.release / "image", place.release / "director"
        roots = [(where / "metadata" / "1.root.json").read_bytes() for where in (image, director)]
        image, director = (where.relative_to(place.root) for where in (image, director))
        canary = name == settings.names[0]
        who = AgentSettings(name, str(image), str(director), canary, PATIENCE, PATIENCE)
        enrol(home / "agent", who, *roots)


def keep_model(place: Place, version: str, model: Path) -> Path:
    """A copy of ``model`` that stays, whole or not at all; NeoError when it is none."""
    kept = place.models / version
    if not kept.exists():
        release.check_folder(model)
        draft = place.models / f".{version}.new"
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(model, draft)
        draft.rename(kept)
    return kept


def _publish(place: Place, version: str, channel: str) -> None:
    # by the fleet's own clock, so that it is the same release again if it was cut off
    at = datetime.fromtimestamp(place.settings().began + ROUND * int(version), UTC)
    made = {"time": at.isoformat(timespec="seconds"), "commit": commit()}
    release.publish(fleet(place).repository("image"), place.models / version, version, channel, made)


def running(place: Place) -> str:
    """The version that the newest roll-out brings, or brought back."""
    rollout = _rollout(fleet(place))
    name = rollout.previous if rollout.stage == Stage.STOPPED else rollout.release
    return name.partition("/")[2]


# --- what robots sent


def ingest(place: Place, number: int, say: Say) -> dict[str, Any]:
    """Everything in the inbox that no earlier round took in; what became of it."""
    taken: set[str] = set()
    for earlier in range(1, number):
        taken |= set(files.read_json(place.round(earlier) / "ingested.json", "round")["taken"])
    row: dict[str, Any] = {"taken": [], "bytes": 0, "steps": 0, "episodes": [], "quarantined": {}}
    with Library(place.library) as library:
        for note in sorted(place.inbox.rglob("*.json")):
            key = note.relative_to(place.inbox).with_suffix("").as_posix()
            if key in taken:
                continue
            sent = files.read_json(note, "note of the inbox")
            row["taken"].append(key)
            row["bytes"] += sent["size"]
            with tempfile.TemporaryDirectory(dir=place.root / "server") as scratch:
                reason = _add(library, sent["sha256"], Path(scratch) / "episode", number, row)
            if reason:
                row["quarantined"][key] = reason
            say(f"{key}: {f'quarantined: {reason}' if reason else 'in the library'}")
    return row


def _add(library: Library, digest: str, folder: Path, number: int, row: dict[str, Any]) -> str:
    """Into the library; why not, in words."""
    library.objects.get(digest, folder / f"{folder.name}_0.mcap")
    with contextlib.suppress(NeoError):  # the library says what is wrong with it, and keeps it
        recovery.reindex(folder)
    added = library.add_bag(folder, ["fleet", f"round:{number}"])
    if added.reason:
        return added.reason
    row["episodes"].append(added.id)
    row["steps"] += int(recovery.read_custom(folder).get("steps", 0))
    return ""


# --- what robots get


def settle(place: Place, reports: list[dict[str, Any]]) -> str:
    """Takes robots' reports in, and lets the newest roll-out decide by them; what it said."""
    ours = fleet(place)
    ours.refresh()
    for report in reports:
        ours.take_report(report)
    return ours.step()


def roll_out(
    place: Place, version: str, model: Path, turns: Callable[[list[str], str], list[dict[str, Any]]], say: Say
) -> dict[str, Any]:
    """Canaries → a tenth → all, by what the robots of each stage report; where it ended, and why.

    ``turns(robots, stage)``: lets these robots update and act, and gives what they report.
    """
    ours = fleet(place)
    rollout = _rollout(ours)
    if rollout.release.partition("/")[2] != version:
        if not rollout.over:
            return {"stage": "", "why": f"{rollout.release} is still being rolled out ({rollout.stage})"}
        keep_model(place, version, model)
        _publish(place, version, CANARY)
        ours.begin(version, CANARY, GATE)
    for stage, said in _stages(place, version, turns):
        say(f"version {version}: {said}")
        last = {"stage": stage, "why": said}
    return last


def _stages(
    place: Place, version: str, turns: Callable[[list[str], str], list[dict[str, Any]]]
) -> Iterator[tuple[str, str]]:
    """Stage and words of every decision, until all are to have it or it stops or waits."""
    ours = fleet(place)
    rollout = _rollout(ours)
    while rollout.stage in (Stage.CANARY, Stage.TENTH):
        silent = rollout.covered(ours.robots()) - _answered(ours, rollout.id)
        said = settle(place, turns(sorted(silent), str(rollout.stage)))
        if _awaits_promotion(ours):
            release.promote(ours.repository("image"), version)
            said = ours.step()
        before, rollout = rollout, _rollout(ours)
        if rollout.stage == before.stage:
            yield str(rollout.stage), said
            return
        yield str(rollout.stage), said
    if rollout.decisions:
        yield str(rollout.stage), rollout.decisions[-1]["reason"]


def _rollout(ours: Fleet) -> Rollout:
    rollout = ours.rollout()
    assert rollout is not None  # create() begins one
    return rollout


def _answered(ours: Fleet, id_: str) -> set[str]:
    """Robots that reported to act with a release, or why not."""
    return {row["robot"] for row in ours.reports() if row["release"] == id_ or id_ in row["refused"]}


def _awaits_promotion(ours: Fleet) -> bool:
    """Whether the canaries are well, and only the signature for all the others is missing."""
    rollout = _rollout(ours)
    if rollout.stage != Stage.CANARY:
        return False
    rollout.step(ours.robots(), ours.reports(), True, clock.utc_now())  # only here: it is not saved
    return rollout.stage == Stage.TENTH


# --- where what came from


def enter(place: Place, learned: str, version: str, versions: dict[str, str]) -> None:
    """The release ``version`` ("": none) comes from the evaluation ``learned``; what each robot runs."""
    with Library(place.library) as library:
        catalogue = library.catalogue
        if version:
            catalogue.add_product("release", version, [("evaluation", learned)])
        known = {row["name"] for row in catalogue.products("release")}
        for robot, runs in versions.items():
            if runs in known:
                catalogue.add_product("robot", robot, [("release", runs)], about={"release": runs})


def timed(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What ``work`` gives, and the ``seconds`` it took."""
    began = time.monotonic()
    return work() | {"seconds": time.monotonic() - began}
