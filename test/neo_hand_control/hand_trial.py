"""One grasp on the rig, step by step: pre-shape away from the object, way in, close."""

from __future__ import annotations

import time
from dataclasses import replace

import mujoco
import numpy as np

from neo_description.objects import Thing, registry
from neo_description.signals import GraspPhase, HandAction, HandCommand
from neo_description.tables import CONTROL_RATE
from neo_hand_control.controller import HandController
from neo_sim.hand_rig import HandRig, Placing

BEFORE = 0.12  # m


def thing(name: str, **changes: float) -> Thing:
    """A thing of the registry with some fields changed."""
    return replace(registry()[name], **changes)


class Trial:
    """A hand, its controller and an object; ``run`` drives the carriage and keeps the forces."""

    def __init__(self, side: str, object_: Thing, placing: Placing, grasp: str, seed: int, params=None):
        self.rig = HandRig(side, object_, placing, seed, params)
        self.hand = HandController(side)
        self.side, self.grasp = side, grasp
        self.width = float(min(object_.size[:2]))
        self.forces: list[float] = []
        self.cpu: list[float] = []
        self.rig.carry(self.at(BEFORE), at_once=True)
        mujoco.mj_forward(self.rig.model, self.rig.data)
        self.hand.update(self.rig.state())

    def at(self, back: float, up: float = 0.0) -> np.ndarray:
        """Carriage pose ``back`` m before the grasp on the diagonal way in, ``up`` m above it."""
        d = back / np.sqrt(2.0)
        return np.array([-d, -d if self.side == "r" else d, up, 0.0, 0.0, 0.0])

    def say(self, action: HandAction, **fields: object) -> None:
        refused = self.hand.command(HandCommand(action, **fields))
        assert refused is None, refused

    def run(self, seconds: float, pose, until=lambda: False) -> None:
        """``pose``: function of the share of ``seconds`` passed and the time (s)."""
        ticks = round(seconds * CONTROL_RATE)
        for i in range(ticks):
            self.rig.carry(pose(i / ticks, i / CONTROL_RATE))
            state = self.rig.state()
            begun = time.process_time()
            answer = self.hand.update(state)
            self.cpu.append(time.process_time() - begun)
            assert self.rig.command(answer) is None
            self.rig.step()
            self.forces.append(float(self.rig.privileged_pad_forces()[:, 0].sum()))
            if until():
                return

    def close(self, **fields: object) -> bool:
        self.say(HandAction.PRESHAPE, grasp=self.grasp, width=self.width)
        self.run(0.8, lambda u, t: self.at(BEFORE))
        assert self.hand.status.phase == GraspPhase.PRESHAPED
        self.run(BEFORE / 0.1, lambda u, t: self.at(BEFORE * (1 - u)))
        self.run(0.2, lambda u, t: self.at(0.0))
        self.say(HandAction.CLOSE, grasp=self.grasp, width=self.width, **fields)
        ended = (GraspPhase.HOLDING, GraspPhase.LOST)
        self.run(3.0, lambda u, t: self.at(0.0), lambda: self.hand.status.phase in ended)
        return self.hand.status.phase == GraspPhase.HOLDING
