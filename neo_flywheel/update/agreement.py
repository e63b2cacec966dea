"""What director and image repository agree on for a robot: the one release that it may install.

What was seen before stands in ``HOME/trust.json``, synced: versions of root and timestamp, the number of the
last assignment, and the time. Nothing older is believed, even if python-tuf's cache is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from neo_description.errors import NeoError, RefusedError
from neo_flywheel import files
from neo_flywheel.update import clock, director, health, report, source
from neo_flywheel.update.manifest import CANARY, MANIFEST, Content, Release, check_name
from neo_flywheel.update.source import Progress, UntrustedError, check_address
from neo_flywheel.update.trust import Client, fetch


@dataclass(frozen=True)
class Settings:
    """Who the robot is and whom it asks; ``robot.json`` in its home."""

    robot: str
    image: str
    director: str
    canary: bool = False
    act_ms: float = health.Limits.act_ms
    timeout: float = health.Limits.timeout


def enrol(home: Path, settings: Settings, image_root: bytes, director_root: bytes) -> None:
    """Makes ``home`` the home of a robot that believes these first roots; NeoError when it is one already."""
    check_name(settings.robot, "robot")
    for where in (settings.image, settings.director):
        check_address(where)
    if (home / "robot.json").exists():
        raise NeoError(f"{home} belongs to a robot already; what it believes changes by signed roots only")
    for name, root in (("image", image_root), ("director", director_root)):
        Client(home / name, "", f"{name} repository").enrol(root)
    report.own_key(home, clock.utc_now())
    files.write_json(home / "robot.json", vars(settings))


def of_home(home: Path) -> Settings:
    """Of the robot that lives in ``home``; NeoError when none does."""
    row = files.read_json(home / "robot.json", "no robot lives here; `neo update enrol` makes a home")
    try:
        return Settings(**row)
    except TypeError as error:
        raise NeoError(f"{home / 'robot.json'}: {error}") from None


class Agreement:
    """Of the robot that lives in ``home``; files on their way lie in ``downloads``."""

    def __init__(
        self, home: Path, downloads: Path, settings: Settings, progress: Progress, now: Callable[[], datetime]
    ):
        self._home, self._downloads, self._settings = home, downloads, settings
        self._progress, self._now = progress, now

    def release(self) -> Release:
        """Read anew, checked, and remembered.

        UntrustedError: a repository is not believed, or they do not agree. RefusedError: nothing is assigned.
        NeoError: they cannot be read.
        """
        file = self._home / "trust.json"
        known: dict[str, Any] = files.read_json(file, "floors") if file.exists() else {}
        if words := clock.set_back(known.get("time", ""), self._now()):
            raise UntrustedError(words)
        image = Client(self._home / "image", self._settings.image, "image repository")
        director_ = Client(self._home / "director", self._settings.director, "director")
        floors: dict[str, Any] = {
            "director": director_.refresh(known.get("director", [])),
            "image": image.refresh(known.get("image", [])),
            "time": self._now().isoformat(timespec="seconds"),
        }
        files.write_json(file, {**known, **floors})
        number, release = self._assignment(director_)
        newest = [floors["director"][0], number]  # a thief's high number counts until a new root
        if newest < known.get("number", []):
            raise UntrustedError(
                f"assignment {number} is older than {known['number'][1]}, which was seen before"
            )
        self._agree(image, release)
        files.write_json(file, {**known, **floors, "number": newest})
        return release

    def _assignment(self, client: Client) -> tuple[int, Release]:
        path = director.path_of(self._settings.robot)
        info = client.info(path)
        if info is None:
            raise RefusedError(f"the director assigns nothing to robot {self._settings.robot}")
        if info.length > director.ASSIGNMENT_BYTES:
            raise UntrustedError(f"an assignment of {info.length} bytes; {director.ASSIGNMENT_BYTES} at most")
        content = fetch(client.where, f"targets/{info.get_prefixed_paths()[0]}", info.length)
        try:
            info.verify_length_and_hashes(content)
            return director.parse(content, self._settings.robot)
        except Exception as error:  # TUF's and ours: either way it is not believed
            raise UntrustedError(f"director: {path}: {error}") from None

    def _agree(self, image: Client, release: Release) -> None:
        """UntrustedError unless the image repository lists the same files, and its manifest no others."""
        if release.channel == CANARY and not self._settings.canary:
            raise UntrustedError(f"{release.path('')} is for canaries only; this robot is none")
        for name, content in release.files.items():
            info = image.info(release.path(name))
            if info is None:
                raise UntrustedError(
                    f"the director assigns {release.path(name)}; the image repository lists none"
                )
            if (info.length, info.hashes.get("sha256")) != (content.length, content.sha256):
                raise UntrustedError(f"director and image repository do not agree about {release.path(name)}")
        content = release.files[MANIFEST]
        path = release.path(MANIFEST)
        self._downloads.mkdir(parents=True, exist_ok=True)
        kept = self._downloads / content.sha256
        if content.length > director.ASSIGNMENT_BYTES:
            raise UntrustedError(f"a manifest of {content.length} bytes; {director.ASSIGNMENT_BYTES} at most")
        self.fetch(path, content)
        listed = files.read_json(kept, "manifest")
        try:
            whole = listed["version"] == release.version and {*listed["files"], MANIFEST} == set(
                release.files
            )
        except (KeyError, TypeError):
            whole = False
        if not whole:
            raise UntrustedError(f"{release.id} is assigned with other files than it was released with")

    def fetch(self, path: str, content: Content) -> None:
        """A file of the image repository, into the downloads; see :func:`source.download`."""
        folder, _, name = path.rpartition("/")
        prefixed = f"targets/{folder}/{content.sha256}.{name}"
        to = self._downloads / content.sha256
        source.download(self._settings.image, prefixed, to, content, self._progress, name=path)
