"""A recorded bag as an episode: the same steps, by the same code, as on the robot and in simulation.

    episodes = read(Path("runs/20261121-120000/bag"))

Steps are cut by the body's ticks, once the states of all three groups at a tick are there; a step holds the
last pair of pictures before it, JPEG or h264. Messages are taken in the order in which they were recorded.
Who chose a step's action and what was asked for stand in the recorder's notes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mcap.reader import make_reader
from rclpy.serialization import deserialize_message

from neo_description.errors import NeoError
from neo_description.tables import SIDES
from neo_flywheel import cdr
from neo_flywheel.provenance import NOTES
from neo_flywheel.store import episode_bag
from neo_flywheel.video import Decoder
from neo_ros import convert, graph
from neo_world_model.episode import Episode
from neo_world_model.modalities import PROVENANCE
from neo_world_model.stepper import Cutter

STATES = ("body/state", *(f"{side}_hand/state" for side in SIDES))
COMMANDS = ("whole_body/command", *(f"{side}_hand/command" for side in SIDES))
EYES = ("head_camera/left/image_raw/compressed", "head_camera/right/image_raw/compressed")
VIDEOS = ("head_camera/left/image_raw/h264", "head_camera/right/image_raw/h264")
WANTED = (*STATES, *COMMANDS, *EYES, *VIDEOS, NOTES, "odom")
SLOWEST_CAMERA = 1.0  # s between two pictures: somebody's camera may be slower than a robot may act on
BY = "provenance"
Row = dict[str, np.ndarray]


def read(
    folder: Path, source: str = "on_policy", provenance: str = "policy", prompt: str = ""
) -> list[Episode]:
    """The episodes of a bag, in order: where ticks are missing for a step or more, a new one begins.

    ``provenance`` and ``prompt`` are of bags whose notes do not say them; a given ``prompt`` counts before a
    noted one. A bag that was recorded as an episode is that one. NeoError when there is no whole step.
    """
    files = sorted(folder.glob("*.mcap"))
    if not files:
        raise NeoError(f"no bag in {folder}: it holds no .mcap file")
    if episode_bag.holds(folder):
        return [episode_bag.load(folder)]
    reader = _Reader(provenance)
    for file in files:
        with file.open("rb") as stream:
            for _, channel, message in make_reader(stream).iter_messages(log_time_order=False):
                name = next((w for w in WANTED if channel.topic.endswith("/" + w)), None)
                if name in VIDEOS or name == NOTES:
                    reader.take_own(name, message.data)
                elif name is not None:
                    reader.take(name, _message(name, message.data))
    reader.end()
    if not reader.runs:
        raise NeoError(f"no whole step of {', '.join(STATES)} in {folder}")
    return [_episode(rows, source, prompt or asked) for rows, asked in reader.runs]


def _message(topic: str, cdr: bytes) -> Any:
    return deserialize_message(cdr, graph.interface(graph.entry("topics", topic)["type"]))


def _episode(rows: list[Row], source: str, prompt: str) -> Episode:
    """The steps from the first that has a picture on, all where none has: cameras may come up later."""
    seen = [i for i, row in enumerate(rows) if "vision" in row]
    rows = rows[seen[0] :] if seen else rows
    fields = {name: np.array([row[name] for row in rows]) for name in rows[0] if name != BY}
    by = np.array([row[BY] for row in rows], np.int8)
    return Episode(source, fields, by, prompt=prompt, kind="bag")


class _Reader:
    """Feeds a :class:`Cutter` with messages; ``runs``: rows without a hole, and what was asked for."""

    def __init__(self, provenance: str) -> None:
        self.runs: list[tuple[list[Row], str]] = []
        self._by, self._unsaid, self._prompt = provenance, provenance, ""
        self._decoders = {name: Decoder() for name in VIDEOS}
        self._cutter = Cutter(SLOWEST_CAMERA)
        self._states: dict[str, Any] = {}
        self._eyes: dict[str, tuple[float, np.ndarray]] = {}
        self._row: Row | None = None
        self._rows: list[Row] = []

    def take(self, name: str, message: Any) -> None:
        """The next message of the bag."""
        if name in STATES:
            self._states[name] = message
            if len(self._states) == len(STATES) and len({m.tick for m in self._states.values()}) == 1:
                self._tick(message.tick)
        elif name in EYES:
            self._look(name, message)
        elif name == "odom":
            self._cutter.T_odom_base = convert.pose(message.pose.pose, "odom")
        elif name == "whole_body/command":
            self._cutter.stepper.asked("body", convert.whole_body_command(message))
        else:
            self._cutter.stepper.asked(name.partition("/")[0], convert.hand_command(message))

    def take_own(self, name: str, raw: bytes) -> None:
        """The next message that the recorder made itself, serialised: video or a note."""
        if name == NOTES:
            key, value = cdr.key_value(raw)
            if key == BY and value in PROVENANCE:
                self._by = self._unsaid if value == "none" else value
            elif key == "prompt":
                self._prompt = value
            return
        picture = cdr.compressed_video(raw)
        image = self._decoders[name].decode(picture.data)
        if image is not None:
            self._seen(EYES[VIDEOS.index(name)], picture.sec + 1e-9 * picture.nanosec, image[..., ::-1])

    def end(self) -> None:
        """What comes next does not follow what was."""
        if self._rows:
            self.runs.append((self._rows, self._prompt))
        self._rows = []

    def _look(self, eye: str, message: Any) -> None:
        image = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR_RGB)
        if image is not None:
            self._seen(eye, convert.stamp(message), np.asarray(image))

    def _seen(self, eye: str, stamp: float, image: np.ndarray) -> None:
        self._eyes[eye] = stamp, image
        if len(self._eyes) == len(EYES):
            (left_at, left), (right_at, right) = (self._eyes[name] for name in EYES)
            if left_at == right_at:
                self._cutter.see(left, right, left_at)

    def _tick(self, tick: int) -> None:
        if not self._cutter.due(tick):
            return
        body = convert.body_state(self._states["body/state"])
        hands = {side: convert.hand_state(self._states[f"{side}_hand/state"]) for side in SIDES}
        cut = self._cutter.take(tick, body, hands)
        if cut is None:
            return
        if cut.action is not None and self._row is not None:
            by = np.array(PROVENANCE.index(self._by))  # as the step ended: its action is whole by then
            self._rows.append({**self._row, "action": cut.action, BY: by})
        blind = self._row is not None and "vision" in self._row and "vision" not in cut.row
        if cut.hole or blind:
            self.end()
        self._row = cut.row
