"""A robot on the real plant with the body's controller, for the tests of this room."""

import time

import numpy as np

from neo_body_control.controller import BodyController
from neo_body_control.settings import load_parameters
from neo_description import scenes
from neo_description.signals import Safety, WholeBodyCommand
from neo_sim.plant import Plant
from neo_sim.plant import load_parameters as load_plant_parameters


class Rig:
    """Plant and controller in step; noise and drives as they are by default. Hands stay in hold.

    ``scene``: its name, or one that is made."""

    def __init__(self, scene="empty", seed=0, sim=None, **body):
        made = scenes.make(scene, seed) if isinstance(scene, str) else scene
        self.plant = Plant(made, load_plant_parameters(**(sim or {})), seed)
        self.body = BodyController(load_parameters(**body))
        self.cpu = []
        self.refused = []

    def tick(self):
        state = self.plant.body_state()
        begun = time.thread_time()
        answer = self.body.update(state)
        self.cpu.append(time.thread_time() - begun)
        reason = self.plant.command_body(answer)
        if reason is not None:
            self.refused.append(reason)
        self.plant.step()

    def run(self, seconds, until=None):
        """Step for ``seconds`` of plant time; with ``until`` whether it came true before."""
        for _ in range(round(seconds * 500)):
            self.tick()
            if until is not None and until():
                return True
        return False

    def stand(self):
        self.run(0.02)
        assert self.body.set_mode("stand") is None
        assert self.run(2.0, lambda: self.body.safety.state == Safety.ACTIVE)
        self.run(1.0)
        return self

    def order(self, **parts):
        """Give a command that must be accepted."""
        parts.setdefault("valid_for", 30.0)
        assert self.body.command(WholeBodyCommand(**parts)) is None

    def gripper_truth(self, side):
        """True pose (4, 4) of a gripper: the score, never the controller's."""
        i = self.plant.index.site(f"{side}_gripper")
        T = np.eye(4)
        T[:3, :3] = self.plant.data.site_xmat[i].reshape(3, 3)
        T[:3, 3] = self.plant.data.site_xpos[i]
        return T

    @property
    def state(self):
        return self.body.safety.state


def angle(R):
    """rad of a rotation."""
    return float(np.arccos(np.clip((np.trace(R) - 1.0) / 2.0, -1.0, 1.0)))


def side_grasp(side, p, heading=0.3):
    """Gripper pose for a side grasp: fingers forward and ``heading`` rad inwards, palm vertical, thumb up."""
    inwards = 1.0 if side == "r" else -1.0
    x = np.array([np.cos(heading), inwards * np.sin(heading), 0.0])
    z = inwards * np.cross([0.0, 0.0, 1.0], x)
    T = np.eye(4)
    T[:3, :3] = np.column_stack([x, np.cross(z, x), z])
    T[:3, 3] = p
    return T
