"""What a fleet is asked for, and where its things lie.

    FLEET/settings.json             as it was asked for
    FLEET/fleet.json                a row a round
    FLEET/progress.json             the last line that was said
    FLEET/server/library            what robots sent (neo_flywheel.store)
    FLEET/server/inbox              a note for each thing that was sent
    FLEET/server/keys, release      keys of this fleet, and its repositories (neo_flywheel.update)
    FLEET/server/learning/round-1   what is learned in a round (neo_bringup.learning)
    FLEET/server/models/VERSION     what passed the gate
    FLEET/server/evaluations        held-out trials of each version
    FLEET/server/rounds/001         what each step of a round came to
    FLEET/robots/NAME               agent, privacy.yaml, courier.json, outbox, turns

Paths within a fleet are relative to it, so it can be moved and copied.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from neo_description.errors import NeoError
from neo_flywheel import files

CHOICES = ("all", "mined", "random")
FIXED = ("robots", "seed", "prompts", "model", "began")  # of a fleet that has begun
ROUND = 600.0  # s from a round to the next on the robots' clocks


@dataclass(frozen=True)
class Settings:
    """``model``: the folder of version 0. ``stores``: of episodes to train on besides.
    ``replays``: of others, that only the gate judges by.

    ``minutes``: of a training. ``trials``: held-out, of each version. ``share``: of the steps that were
    recorded, what leaves where it is chosen. ``began``: s since the epoch; robots' clocks go on from there,
    ``ROUND`` s a round, so that a fleet that was cut off records the same.
    """

    robots: int = 3
    rounds: int = 1
    prompts: int = 4
    model: str = ""
    stores: tuple[str, ...] = ()
    replays: tuple[str, ...] = ()
    minutes: float = 10.0
    trials: int = 20
    choose: str = "all"
    share: float = 0.5
    seed: int = 0
    engine: str = "local"
    workers: int = 0
    began: float = field(default_factory=lambda: float(int(time.time())))

    def __post_init__(self) -> None:
        for name, least in (
            ("robots", 1),
            ("rounds", 1),
            ("prompts", 1),
            ("trials", 0),
            ("workers", 0),
            ("seed", 0),
        ):
            if getattr(self, name) < least:
                raise NeoError(f"--{name} {getattr(self, name)}; at least {least}")
        if self.minutes <= 0.0:
            raise NeoError(f"--minutes {self.minutes:g}; more than 0")
        if self.choose not in CHOICES:
            raise NeoError(f"--choose {self.choose}; one of {', '.join(CHOICES)}")
        if not 0.0 < self.share <= 1.0:
            raise NeoError(f"--share {self.share:g}; more than 0, at most 1")

    @property
    def names(self) -> list[str]:
        """Of the robots; each is its namespace, too."""
        return [f"neo_{i + 1}" for i in range(self.robots)]

    def changed(self, given: dict[str, Any]) -> Settings:
        """With what is ``given``; NeoError where a fleet that has begun cannot change it."""
        for name in FIXED:
            if name in given and given[name] != getattr(self, name):
                raise NeoError(
                    f"--{name} {given[name]}; this fleet began with {getattr(self, name)}, and it stays"
                )
        return replace(self, **given)


class Place:
    """The folder of a fleet."""

    def __init__(self, root: Path):
        self.root = root
        server = root / "server"
        self.library, self.inbox, self.keys = server / "library", server / "inbox", server / "keys"
        self.release, self.models = server / "release", server / "models"
        self.evaluations, self.learning = server / "evaluations", server / "learning"

    def robot(self, name: str) -> Path:
        """Home of a robot."""
        return self.root / "robots" / name

    def turn(self, name: str, turn: str) -> Path:
        """What came of a robot's turn."""
        return self.robot(name) / "turns" / f"{turn}.json"

    def round(self, number: int) -> Path:
        """Folder of what the server did in a round."""
        return self.root / "server" / "rounds" / f"{number:03d}"

    def settings(self) -> Settings:
        """As they were asked for; NeoError when no fleet is here."""
        row = files.read_json(
            self.root / "settings.json", "no fleet here; `neo fleet --out FOLDER` begins one"
        )
        known = {row_.name for row_ in fields(Settings)}
        if not isinstance(row, dict) or not set(row) <= known:
            raise NeoError(f"{self.root / 'settings.json'} is of another version of this software")
        lists = {name: tuple(value) for name, value in row.items() if isinstance(value, list)}
        return Settings(**row | lists)

    def save(self, settings: Settings) -> None:
        """For those who go on, and for robots."""
        files.write_json(self.root / "settings.json", asdict(settings))
