"""A lab's fleet in a folder: both repositories, the robots, and the roll-out that runs.

FLEET/image, FLEET/director    what is served to robots
FLEET/robots.json              name → is a canary
FLEET/rollout.json             the newest roll-out, with every decision and its reason
FLEET/robot_keys/ROBOT.json    the public half of the key that a robot signs its reports with
FLEET/reports/ROBOT.json       what robots said last
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from neo_description.errors import NeoError
from neo_flywheel import files
from neo_flywheel.update import clock, director, keys, release, report
from neo_flywheel.update.manifest import STABLE, Release, check_name
from neo_flywheel.update.repository import Repository, held
from neo_flywheel.update.rollout import Gate, Rollout, Stage
from neo_flywheel.update.rules import DIRECTOR, IMAGE, Rules

KINDS: dict[str, Rules] = {"image": IMAGE, "director": DIRECTOR}


def create_keys(folder: Path, now: datetime, kinds: Iterable[str] = tuple(KINDS)) -> list[keys.KeyFile]:
    """Every key that the repositories need, in ``folder/image`` and ``folder/director``."""
    kinds = tuple(kinds)
    there = [kind for kind in kinds if (folder / kind).exists()]
    if there:
        raise NeoError(f"{folder / there[0]} exists; keys are never written over")
    return [
        keys.create(folder / kind, role, now)
        for kind in kinds
        for role, rule in KINDS[kind].items()
        for _ in range(rule.keys)
    ]


class Fleet:
    """The fleet in ``folder``, with the private keys in ``key_folders``."""

    def __init__(
        self, folder: Path, key_folders: Iterable[Path] = (), now: Callable[[], datetime] = clock.utc_now
    ):
        self.folder = folder
        self._key_folders = tuple(key_folders)
        self._now = now

    def create(self) -> None:
        """Both repositories, empty. What an earlier try made stays."""
        for kind, rules in KINDS.items():
            if not (self.folder / kind / "metadata").exists():
                Repository.create(self.folder / kind, rules, held(self._key_folders, kind), self._now)
        if not (self.folder / "robots.json").exists():
            files.write_json(self.folder / "robots.json", {})

    def repository(self, kind: str) -> Repository:
        """``image`` or ``director``; NeoError when there is no fleet here."""
        if not (self.folder / kind / "metadata").is_dir():
            raise NeoError(
                f"no fleet in {self.folder}; `neo release init {self.folder} --keys KEYS` makes one"
            )
        return Repository(self.folder / kind, KINDS[kind], held(self._key_folders, kind), self._now)

    def robots(self) -> dict[str, bool]:
        """Name → is a canary."""
        return files.read_json(self.folder / "robots.json", "no fleet here; `neo release init` makes one")

    def add_robot(self, name: str, canary: bool, key: Path | None = None) -> None:
        """Adds a robot, or changes whether it is a canary; it gets what it should have.

        ``key``: the public half of the one it signs its reports with; without it none is believed.
        """
        check_name(name, "robot")
        if key is not None:
            keys.read(key)  # NeoError when it is none
            files.write(self._half(name), key.read_bytes())
        robots = self.robots() | {check_name(name, "robot"): canary}
        files.write_json(self.folder / "robots.json", robots)
        self.apply()

    def rollout(self) -> Rollout | None:
        """The newest."""
        file = self.folder / "rollout.json"
        return Rollout.of(files.read_json(file, "roll-out")) if file.exists() else None

    def _save(self, rollout: Rollout) -> None:
        files.write_json(self.folder / "rollout.json", rollout.row())

    def check_free(self) -> None:
        """NeoError while a roll-out is under way."""
        running = self.rollout()
        if running and not running.over:
            raise NeoError(f"{running.release} is being rolled out ({running.stage}); "
                           "let it end, or `neo release stop` it")  # fmt: skip

    def begin(self, version: str, channel: str, gate: Gate, stage: Stage = Stage.CANARY) -> Rollout:
        """Rolls a release out from now on; NeoError while another one is under way."""
        self.check_free()
        running = self.rollout()
        previous = ""
        if running:
            previous = running.previous if running.stage == Stage.STOPPED else running.release
        new = release.find(self.repository("image"), version, channel)
        rollout = Rollout.begin(f"{new.channel}/{new.version}", new.id, previous, gate, self._now(), stage)
        self._save(rollout)
        self.apply()
        return rollout

    def step(self) -> str:
        """Lets the roll-out decide by the reports, and acts on it; the decision with its reason."""
        rollout = self.rollout()
        if rollout is None:
            raise NeoError("nothing is rolled out; `neo release publish` does")
        promoted = self._find(rollout.release).channel == STABLE
        said = rollout.step(self.robots(), self.reports(), promoted, self._now())
        self._save(rollout)
        self.apply()
        return said

    def stop(self, why: str) -> str:
        """Emergency stop: every robot is assigned what it had before."""
        rollout = self.rollout()
        if rollout is None:
            raise NeoError("nothing is rolled out")
        said = rollout.stop(why, self._now())
        self._save(rollout)
        self.apply()
        return said

    def apply(self) -> list[str]:
        """Makes the assignments what the roll-out says; those that changed. Twice is as good as once."""
        rollout = self.rollout()
        if rollout is None:
            return []
        robots = self.robots()
        new = self._find(rollout.release)
        old = self._find(rollout.previous) if rollout.previous else None
        covered = rollout.covered(robots)
        wanted: dict[str, Release | None] = {name: new if name in covered else old for name in robots}
        return director.assign(self.repository("director"), wanted)

    def _find(self, name: str) -> Release:
        channel, _, version = name.partition("/")
        image = self.repository("image")
        promoted = version in release.releases(image)[STABLE]
        return release.find(image, version, STABLE if promoted else channel)

    def reports(self) -> list[dict[str, Any]]:
        """What robots said last."""
        folder = self.folder / "reports"
        return [files.read_json(file, "report") for file in sorted(folder.glob("*.json"))]

    def believes(self, name: str) -> bool:
        """Whether the key of a robot is known."""
        return self._half(name).exists()

    def _half(self, name: str) -> Path:
        return self.folder / "robot_keys" / f"{name}.json"

    def take_report(self, row: dict[str, Any]) -> None:
        """Keeps what a robot signed.

        NeoError: it is none of the fleet, its key is not known or another's, or it has said more since.
        """
        said = row.get("signed")
        name = said.get("robot") if isinstance(said, dict) else None
        if name not in self.robots():
            raise NeoError(f"no robot {name!r} in the fleet; there are {', '.join(self.robots())}")
        if not self.believes(name):
            raise NeoError(f"the key of {name} is not known; `neo release robot {name} --key FILE` tells it")
        told = report.opened(row, keys.read(self._half(name)).public)
        file = self.folder / "reports" / f"{name}.json"
        if file.exists() and told["time"] < (last := files.read_json(file, "report")["time"]):
            raise NeoError(f"a report of {name} from {told['time']}; there is one from {last}")
        files.write_json(file, told)

    def refresh(self) -> list[str]:
        """Signs what would expire; to be run once a day at least. What soon needs keys that are not here."""
        return [f"{kind}: {line}" for kind in KINDS for line in self.repository(kind).refresh()]
