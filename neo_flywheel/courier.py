"""Carries data off the robot: only what is allowed, only so much a day, each thing once.

    courier = Courier(put, privacy_file, state_folder)
    courier.carry(robot, bags, campaigns, say)      # logs first, then clips
    courier.carry_episode(robot, folder, say)       # a whole one, for a fleet that learns from its robots

``put(key, data)`` hands bytes to whoever stores them and raises OSError when it cannot. Keys are made of what
they hold, so the same data has the same key, wherever it is put twice.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from neo_description.errors import NeoError
from neo_flywheel import clip, files, metadata, story
from neo_flywheel.campaign import Campaign, Window
from neo_flywheel.privacy import Privacy
from neo_flywheel.store import episode_bag

Put = Callable[[str, bytes], None]
LOG_RATE = 2.0  # Hz
ROBOT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass
class _State:
    """What was spent: by day for all, for ever for each campaign. ``sent``: what was asked and is there."""

    day: str = ""
    bytes: int = 0
    campaigns: dict[str, list[int]] = field(default_factory=dict)  # [clips, bytes]
    sent: list[str] = field(default_factory=list)


class Courier:
    """``clock``: s since the epoch. NeoError when the state of before cannot be read: nothing leaves then."""

    def __init__(self, put: Put, privacy: Path, state: Path, clock: Callable[[], float] = time.time):
        self._put, self._privacy_file, self._clock = put, privacy, clock
        self._file = state / "courier.json"
        self._state = self._read()

    def carry(
        self, robot: str, bags: Iterable[Path], campaigns: Iterable[Campaign], say: Callable[[str], None]
    ) -> int:
        """Takes what may leave of all ``bags``; how many things left. What may not is said, and tried again.

        NeoError when the privacy file or the account cannot be read or written.
        """
        self._check(robot)
        stories: dict[Path, story.Story] = {}
        for folder in bags:
            try:
                stories[folder] = story.read(folder)
            except NeoError as error:  # one that is cut off holds up no other
                say(str(error))
        left = sum(self._log(robot, folder, say) for folder in stories)
        for campaign in campaigns:
            for folder, told in stories.items():
                left += self._clips(robot, folder, told, campaign, say)
        return left

    def carry_episode(self, robot: str, folder: Path, say: Callable[[str], None]) -> bool:
        """Takes a recorded episode (:mod:`episode_bag`) as a whole, once; whether it left now.

        Needs consent to clips; its pictures to images too, faces covered. NeoError as :meth:`carry`.
        """
        self._check(robot)
        token = f"episode {_identity(folder)}"
        if token in self._state.sent:
            return False
        told = story.read(folder)
        why = self._refuses_span("clips", told.first_ns, told.last_ns)
        if not why:
            images = not self._refuses("images")
            about = metadata.read_custom(folder) | {"robot": robot, "kind": "episode"}
            data = clip.cut(folder, told.first_ns, told.last_ns, about, images, also=(episode_bag.NUMBERS,))
            why = self._send("clips", "episode", robot, data, token, images=images)
        if why:
            say(f"{folder}: {why}")
        return not why

    def _check(self, robot: str) -> None:
        if not ROBOT.fullmatch(robot):
            raise NeoError(f"robot {robot!r}; letters, digits, '_', '.' and '-' are allowed, at most 64")
        self._privacy()

    def left_today(self) -> int:
        """Bytes that may still leave today."""
        self._today()
        return max(0, self._privacy().daily_bytes - self._state.bytes)

    def _log(self, robot: str, folder: Path, say: Callable[[str], None]) -> bool:
        token = f"log {_identity(folder)}"
        if token in self._state.sent:
            return False
        if why := self._refuses("log"):
            say(f"log of {folder}: {why}")
            return False
        privacy = self._privacy()
        data = clip.decimated(
            folder, LOG_RATE, {"robot": robot, "kind": "log"}, lambda t: privacy.in_no_go(_local(t * 1e-9))
        )
        why = self._send("log", "log", robot, data, token)
        if why:
            say(f"log of {folder}: {why}")
        return not why

    def _clips(
        self, robot: str, folder: Path, told: story.Story, campaign: Campaign, say: Callable[[str], None]
    ) -> int:
        left = 0
        for window in campaign.windows(told):
            token = f"{campaign.campaign}-{campaign.version} {_identity(folder)} {window.first_ns}"
            if token in self._state.sent:
                continue
            why = self._refuses_clip(campaign, window) or self._cut_and_send(
                robot, folder, campaign, window, token
            )
            if why:
                say(f"{folder}, campaign {campaign.campaign}, {window.why}: {why}")
            left += not why
        return left

    def _refuses_clip(self, campaign: Campaign, window: Window) -> str:
        """Known before any work is done: why a clip would not leave."""
        if not campaign.runs(datetime.fromtimestamp(self._clock(), UTC)):
            return "the campaign does not run now"
        if why := self._refuses_span("clips", window.first_ns, window.last_ns):
            return why
        clips, _ = self._state.campaigns.get(campaign.campaign, [0, 0])
        return "the campaign has its clips" if clips >= campaign.max_clips else ""

    def _cut_and_send(self, robot: str, folder: Path, campaign: Campaign, window: Window, token: str) -> str:
        images = campaign.images and not self._refuses("images")
        about = {"robot": robot, "kind": "clip", "campaign": campaign.campaign, "why": window.why}
        data = clip.cut(folder, window.first_ns, window.last_ns, about, images)
        spent = self._state.campaigns.get(campaign.campaign, [0, 0])
        if spent[1] + len(data) > campaign.max_bytes:
            return f"its {len(data)} bytes are more than the campaign may still have"
        return self._send("clips", "clip", robot, data, token, campaign, images)

    def _send(
        self, consent: str, kind: str, robot: str, data: bytes, token: str,
        campaign: Campaign | None = None, images: bool = False,
    ) -> str:  # fmt: skip
        """Counts, then puts: who is killed between has counted too much, never too little."""
        why = self._refuses(consent) or (self._refuses("images") if images else "")  # it may have changed
        if why:
            return why
        self._today()
        if self._state.bytes + len(data) > self._privacy().daily_bytes:
            return f"its {len(data)} bytes are more than the {self.left_today()} that may still leave today"
        self._state.bytes += len(data)
        if campaign is not None:
            clips, size = self._state.campaigns.get(campaign.campaign, [0, 0])
            self._state.campaigns[campaign.campaign] = [clips + 1, size + len(data)]
        self._write()
        try:
            self._put(f"{kind}/{robot}/{hashlib.sha256(data).hexdigest()}.mcap", data)
        except OSError as error:
            return f"not put: {error}; tried again next time"
        self._state.sent.append(token)
        self._write()
        return ""

    def _refuses(self, kind: str) -> str:
        return self._privacy().refuses(kind, _local(self._clock()))

    def _refuses_span(self, kind: str, first_ns: int, last_ns: int) -> str:
        if why := self._refuses(kind):
            return why
        span = (_local(first_ns * 1e-9), _local(last_ns * 1e-9))
        return "recorded in a no-go time" if self._privacy().touches_no_go(*span) else ""

    def _privacy(self) -> Privacy:
        return Privacy.load(self._privacy_file)

    def _today(self) -> None:
        """A new day's budget; a clock that was set back opens none."""
        day = _local(self._clock()).date().isoformat()
        if day > self._state.day:
            self._state.day, self._state.bytes = day, 0

    def _read(self) -> _State:
        try:
            rows: dict[str, Any] = json.loads(self._file.read_text())
            return _State(str(rows["day"]), int(rows["bytes"]), dict(rows["campaigns"]), list(rows["sent"]))
        except FileNotFoundError:
            return _State()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NeoError(
                f"cannot read what was spent from {self._file} ({error}), so nothing leaves; "
                "remove the file to begin anew"
            ) from None

    def _write(self) -> None:
        try:
            files.write_json(self._file, vars(self._state))
        except OSError as error:
            raise NeoError(
                f"cannot keep account in {self._file}, so nothing leaves: {error.strerror}"
            ) from None


def folder_put(folder: Path) -> Put:
    """Puts into a folder, whole or not at all."""

    def put(key: str, data: bytes) -> None:
        files.write(folder / key, data)

    return put


def _identity(folder: Path) -> str:
    """Of a bag, wherever its folder is moved to: the first and last bytes of its file, and its size."""
    file = story.bag_file(folder)
    size = file.stat().st_size
    with file.open("rb") as stream:
        head = stream.read(65536)
        stream.seek(max(0, size - 65536))
        return hashlib.sha256(head + stream.read() + str(size).encode()).hexdigest()[:32]


def _local(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds)
