"""A robot that is not quite the one of the tables, its body under control, its hands held by their drives."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from neo_body_control.controller import BodyController
from neo_body_control.settings import load_parameters
from neo_description import scenes
from neo_description.errors import NeoError
from neo_description.index import RobotIndex
from neo_description.signals import BodyState, DriveMode, Safety, TendonCommand, WholeBodyCommand
from neo_description.tables import BODY, CONTROL_RATE, SIDES
from neo_hand_control.controller import HandController
from neo_sim.plant import Plant
from neo_sim.plant import load_parameters as load_plant_parameters

MASSES, ARMS = 0.1, 0.05  # share: errors of every link's mass and of every tendon's moment arm
ERRORS = {"mass_error": MASSES, "arm_error": ARMS}
PELVIS = 0.30  # m above the ground: lower counts as a fall, crouched or not
SETTLE = 2.0  # s of standing before anything is measured


@cache
def _scene(routing: str) -> scenes.Scene:
    return scenes.make("empty", 0, routing=routing)


def own_scene(routing: str = "fixed") -> scenes.Scene:
    """The empty scene with a model for itself: each plant changes its own. ``routing``: of the tendons."""
    scene = _scene(routing)
    model = copy(scene.model)
    return replace(scene, model=model, index=RobotIndex(model))


class Robot:
    """Stands after :meth:`stand`. ``cpu``: seconds of each tick of the controller; ``outside``: ticks with a
    commanded tension beyond its limits, of ``ticks``; ``refused``: answers that the drives refused.
    ``routing``: of its tendons, in which the controller believes unless ``body``, overrides of its
    parameters, say otherwise."""

    def __init__(
        self,
        seed: int,
        body: dict[str, Any] | None = None,
        sim: dict[str, Any] | None = None,
        scene: scenes.Scene | None = None,
        routing: str = "fixed",
    ):
        routed = {"tendon_routing": routing}
        params = load_plant_parameters(**(ERRORS | routed | (sim or {})))
        self.plant = Plant(scene or own_scene(routing), params, seed)
        self.body = BodyController(load_parameters(**(routed | (body or {}))))
        self.hands = {} if scene is None else {side: HandController(side) for side in SIDES}
        self.cpu: list[float] = []
        self.ticks = self.outside = self.refused = 0
        self.fell = False
        self.power: list[float] = []  # N²: sum of squared tensions, which holding costs motors

    def tick(self) -> tuple[BodyState, TendonCommand]:
        """One control tick: the state, and what the controller answered."""
        state = self.plant.body_state()
        begun = time.thread_time()
        answer = self.body.update(state)
        self.cpu.append(time.thread_time() - begun)
        self.refused += self.plant.command_body(answer) is not None
        if answer.mode == DriveMode.TENSION:
            f = answer.tension
            good = np.isfinite(f) & (f >= BODY.pretension - 1e-9) & (f <= BODY.tension_max + 1e-9)
            self.outside += not good.all()
        for side, hand in self.hands.items():
            self.refused += (
                self.plant.command_hand(side, hand.update(self.plant.hand_state(side))) is not None
            )
        self.ticks += 1
        self.plant.step()
        f = self.plant.drives["body"].tension
        self.power.append(float(f @ f))
        self.fell = self.fell or self.down
        return state, answer

    @property
    def down(self) -> bool:
        """Whether it has fallen, or is about to and knows it."""
        truth = self.plant.privileged
        low = truth.base_pose[2, 3] < PELVIS
        return bool(low or truth.fallen or self.body.safety.state == Safety.FALLING)

    def run(self, seconds: float, each: Callable[[], None] | None = None) -> None:
        """Step for ``seconds`` of plant time, ``each`` tick calls; no longer once the robot has fallen."""
        for _ in range(round(seconds * CONTROL_RATE)):
            self.tick()
            if each is not None:
                each()
            if self.fell:
                return

    def stand(self) -> Robot:
        """Out of STOP, and ``SETTLE`` s to get there; NeoError when the robot does not stand up."""
        self.run(0.02)
        reason = self.body.set_mode("stand")
        if reason is not None:
            raise NeoError(f"the robot does not stand up: {reason}")
        self.run(SETTLE)
        return self

    def again(self, seed: int) -> Robot:
        """Another robot of the same kind, standing."""
        self.plant.reset(seed)
        self.body = BodyController(self.body.params)
        for hand in self.hands.values():
            hand.reset()
        self.fell = False
        return self.stand()

    def order(self, **parts: Any) -> None:
        """Give a command; NeoError when it is refused. One that has fallen is told nothing: that counts."""
        if self.fell:
            return
        parts.setdefault("valid_for", 60.0)
        reason = self.body.command(WholeBodyCommand(**parts))
        if reason is not None:
            raise NeoError(f"refused: {reason}")

    def privileged_seen(self, name: str) -> np.ndarray:
        """Pose (4, 4) in the estimated odom of a thing as perfect eyes would give it, from the pelvis."""
        truth = self.plant.privileged
        T: np.ndarray = self.body.estimate.T_odom_base @ np.linalg.inv(truth.base_pose)
        return T @ truth.object_pose(name)

    def gripper(self, side: str) -> np.ndarray:
        """True pose (4, 4) of a gripper."""
        return self.site(f"{side}_gripper")

    def site(self, name: str) -> np.ndarray:
        """True pose (4, 4) of a frame."""
        i = self.plant.index.site(name)
        T = np.eye(4)
        T[:3, :3] = self.plant.data.site_xmat[i].reshape(3, 3)
        T[:3, 3] = self.plant.data.site_xpos[i]
        return T

    def sample(self) -> dict[str, Any]:
        """What every part keeps of its run."""
        return {"ticks": self.ticks, "outside": self.outside, "refused": self.refused}


def grasp_pose(side: str, p: Any, inwards: float = 0.3, down: float = 0.0) -> np.ndarray:
    """Gripper pose (4, 4) at ``p`` (3,) m: fingers forward, ``inwards`` and ``down`` rad, palm vertical."""
    sign = 1.0 if side == "r" else -1.0
    c, s = np.cos(down), np.sin(down)
    x = np.array([c * np.cos(inwards), sign * c * np.sin(inwards), -s])
    z = sign * np.cross([0.0, 0.0, 1.0], x)
    z /= np.linalg.norm(z)
    T = np.eye(4)
    T[:3, :3] = np.column_stack([x, np.cross(z, x), z])
    T[:3, 3] = p
    return T
