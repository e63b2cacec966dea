"""A run of NeoEnv as an episode: ten steps a second of what the robot sensed and was asked for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neo_description.kinematics import Kinematics
from neo_description.signals import HandState
from neo_description.tables import SIDES
from neo_sim.env import NeoEnv
from neo_sim.privileged_events import PrivilegedEvents
from neo_world_model.episode import THINGS, Episode
from neo_world_model.modalities import PROVENANCE, view
from neo_world_model.stepper import EVERY, SAMPLES, Stepper, picture

IMAGE = (128, 96)  # px rendered, before the model's own size
EYES = ("head_left_camera_optical_frame", "head_right_camera_optical_frame")


def seen_at(T_base_eye: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(n, 2) column and row, -1 to 1 across the picture, of ``places`` (n, 3) m; NaN outside it."""
    x, y, z = ((places - T_base_eye[:3, 3]) @ T_base_eye[:3, :3]).T
    with np.errstate(invalid="ignore"):
        wide, high = view()
        pixels = np.stack([x / z / wide, y / z / high], axis=-1)
        inside = (np.abs(pixels) < 1.0).all(axis=-1) & (z > 0.0)
    return np.where(inside[:, None], pixels, np.nan)


class Recording:
    """Call :meth:`step` instead of ``env.step``; :meth:`episode` at the end. ``target``: for labels."""

    def __init__(self, env: NeoEnv, target: str = ""):
        self.env = env
        self._rows: dict[str, list[np.ndarray]] = {}
        self._by: list[int] = []
        self._labels: dict[str, list[float]] = {}
        self._progress: list[float] = []
        self._places: list[np.ndarray] = []
        self._pixels_seen: list[np.ndarray] = []
        self._kinematics = Kinematics()
        self._stepper = Stepper()
        self._events = PrivilegedEvents(env.scene, env.plant.model, env.plant.data, target)
        self._given = len(env.log_commands)

    def step(self, provenance: str | Callable[[], str], each: Callable[[], None] = lambda: None) -> None:
        """Sense, then let 0.1 s pass; ``each`` runs every 20 ms.

        ``provenance``: who chose what to do, or who says so when the time has passed.
        """
        env, seen = self.env, self.env.frame
        self._places.append(self._privileged_places())
        self._pixels_seen.append(self._pixels(self._places[-1]))
        self._progress.append(np.nan if env.planner is None or provenance == "random" else env.progress)
        row = self._stepper.sense(
            env.plant.body_state(), self._hands(), None if seen is None else picture(seen.left, seen.right)
        )
        for _ in range(SAMPLES):
            env.step(EVERY)
            self._stepper.feel(self._hands())
            self._events.look()
            each()
        for given in env.log_commands[self._given :]:
            self._stepper.asked(given.target, given.command)
        self._given = len(env.log_commands)
        row["action"] = self._stepper.action(env.body.estimate.T_odom_base)
        for name, values in row.items():
            self._rows.setdefault(name, []).append(values)
        self._by.append(PROVENANCE.index(provenance if isinstance(provenance, str) else provenance()))
        for name, value in self._events.take().items():
            self._labels.setdefault(name, []).append(value)

    def episode(self, source: str, **about: object) -> Episode:
        """What was recorded; the fields of :class:`Episode` in ``about``."""
        fields = {name: np.array(rows) for name, rows in self._rows.items()}
        # an event's label stands at the step that ends with it: what is sensed next
        labels = {name: np.array([0.0, *values[:-1]], np.float32) for name, values in self._labels.items()}
        labels["places"] = np.array(self._places, np.float32)
        labels["pixels"] = np.array(self._pixels_seen, np.float32)
        by, progress = np.array(self._by, np.int8), np.array(self._progress, np.float32)
        return Episode(source, fields, by, progress=progress, privileged=labels, **about)  # type: ignore[arg-type]

    def _privileged_places(self) -> np.ndarray:
        """(THINGS, 3) m: where the scene's things truly are in base_link, in its order."""
        truth, places = self.env.plant.privileged, np.full((THINGS, 3), np.nan)
        T_base_world = np.linalg.inv(truth.base_pose)
        for row, name in zip(places, truth.object_names, strict=False):
            row[:] = T_base_world[:3, :3] @ truth.object_pose(name)[:3, 3] + T_base_world[:3, 3]
        return places

    def _pixels(self, places: np.ndarray) -> np.ndarray:
        """(THINGS, eyes, 2): where ``places`` are in the pictures, -1 to 1, by the robot's own joints."""
        frames = self._kinematics.frames(self.env.plant.body_state().joint_position, EYES)
        return np.stack([seen_at(frames[eye], places) for eye in EYES], axis=1)

    def _hands(self) -> dict[str, HandState]:
        return {side: self.env.plant.hand_state(side) for side in SIDES}
