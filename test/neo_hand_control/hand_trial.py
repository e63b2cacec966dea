"""One grasp on the rig: pre-shape away from the object, way in, close, lift, hold, shake; what came of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import mujoco
import numpy as np

from neo_description.objects import Thing, registry
from neo_description.signals import GraspPhase, HandAction, HandCommand
from neo_description.tables import CONTROL_RATE
from neo_hand_control.controller import HandController
from neo_sim.hand_rig import HandRig, Placing

# object class: grasp, share of the object's height at which the gripper stands
TAKES = {
    "bottle": ("medium_wrap", 0.42),
    "can": ("medium_wrap", 0.55),
    "cup": ("medium_wrap", 0.55),
    "box": ("box_wrap", 0.60),
    "ball": ("large_wrap", 0.70),
    "fruit": ("large_wrap", 0.90),
}
BEFORE, LIFT = 0.12, 0.10  # m


@dataclass
class Outcome:
    """What came of a trial.

    ``held``: in the hand and HOLDING at the end; slips in m; true sums of normal forces (N) while lifting
    and holding still: ``peak`` and, in the last second, ``mean``; ``cpu`` s a tick, median.
    """

    held: bool
    closed: bool
    slip_lift: float
    slip_hold: float
    slip_shake: float
    peak: float
    mean: float
    cpu: float
    controller: HandController
    rig: HandRig

    def __str__(self) -> str:
        return (
            f"{'held' if self.held else 'DROPPED'}, slip lift {1e3 * self.slip_lift:.1f} hold "
            f"{1e3 * self.slip_hold:.1f} shake {1e3 * self.slip_shake:.1f} mm, "
            f"force peak {self.peak:.1f} mean {self.mean:.1f} N, cpu p50 {1e3 * self.cpu:.3f} ms"
        )


def thing(name: str, **changes: float) -> Thing:
    """A thing of the registry with some fields changed."""
    return replace(registry()[name], **changes)


def scatter(seed: int, way: float = 0.01, turn: float = 0.6) -> dict[str, object]:
    """Random place within ± ``way`` m and ± ``turn`` rad."""
    rng = np.random.default_rng(seed)
    return {"offset": tuple(rng.uniform(-way, way, 2)), "yaw": float(rng.uniform(-turn, turn))}


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

    def close(self) -> bool:
        self.say(HandAction.PRESHAPE, grasp=self.grasp, width=self.width)
        self.run(0.8, lambda u, t: self.at(BEFORE))
        assert self.hand.status.phase == GraspPhase.PRESHAPED
        self.run(BEFORE / 0.1, lambda u, t: self.at(BEFORE * (1 - u)))
        self.run(0.2, lambda u, t: self.at(0.0))
        self.say(HandAction.CLOSE, grasp=self.grasp, width=self.width)
        ended = (GraspPhase.HOLDING, GraspPhase.LOST)
        self.run(3.0, lambda u, t: self.at(0.0), lambda: self.hand.status.phase in ended)
        return self.hand.status.phase == GraspPhase.HOLDING

    def slip(self, since: np.ndarray) -> float:
        return float(np.linalg.norm(self.rig.privileged_in_hand()[0] - since))


def shake(t: float) -> np.ndarray:
    """1 to 2 cm at 1.5 to 2.7 Hz in all three directions, up to about 3 m/s², swelling in half a second."""
    w = 2 * np.pi * t
    return min(2.0 * t, 1.0) * np.array(
        [0.01 * np.sin(2.0 * w), 0.01 * np.sin(2.7 * w), 0.02 * np.sin(1.5 * w), 0.0, 0.0, 0.0]
    )


def hold(
    object_: Thing, seed: int = 0, side: str = "r", params=None, grasp: str = "", **placing: object
) -> Outcome:
    """Take ``object_`` off the table, lift it 10 cm at 0.12 m/s, hold it 3 s, shake it 2 s."""
    usual, height = TAKES[object_.class_name]
    place = Placing(**{"height": height, **placing})  # type: ignore[arg-type]
    trial = Trial(side, object_, place, grasp or usual, seed, params)
    closed = trial.close()
    trial.run(0.2, lambda u, t: trial.at(0.0))
    start, begun = trial.rig.privileged_in_hand()[0], len(trial.forces)
    trial.run(LIFT / 0.12, lambda u, t: trial.at(0.0, LIFT * u))
    trial.run(0.3, lambda u, t: trial.at(0.0, LIFT))
    slip_lift, lifted = trial.slip(start), trial.rig.privileged_in_hand()[0]
    trial.run(2.7, lambda u, t: trial.at(0.0, LIFT))
    slip_hold, kept = trial.slip(lifted), trial.rig.privileged_in_hand()[0]
    mean, peak = float(np.mean(trial.forces[-CONTROL_RATE:])), max(trial.forces[begun:])
    trial.run(2.0, lambda u, t: trial.at(0.0, LIFT) + shake(t))
    held = trial.slip(start) < 0.05 and trial.hand.status.phase == GraspPhase.HOLDING
    return Outcome(
        held, closed, slip_lift, slip_hold, trial.slip(kept), peak, mean,
        float(np.median(trial.cpu)), trial.hand, trial.rig,
    )  # fmt: skip
