"""How fingers yield to a push and come back: a force at a fingertip, soft, as usual and stiff.

measure(seed) -> {"soft": {...}, "usual": {...}, "stiff": {...}}
"""

from __future__ import annotations

import numpy as np

from neo_bringup.hand_bench.fingertips import bent, privileged_tips
from neo_description import parameters
from neo_description.errors import NeoError
from neo_description.hand import hand_parts
from neo_description.signals import DriveMode, TendonCommand
from neo_description.tables import CONTROL_DT, HAND, SIDES
from neo_hand_control.controller import PARAMETERS
from neo_hand_control.fingertips import FINGERS
from neo_hand_control.servo import Servo
from neo_sim.hand_rig import HandRig

SCALES = {"soft": 0.25, "usual": 1.0, "stiff": 1.5}
FORCE = 1.0  # N, at the tip, straight back along the finger's bending
SETTLE, PUSH, BACK = 1.0, 1.0, 1.5  # s


def measure(seed: int, scales: dict[str, float] | None = None) -> dict[str, dict[str, float]]:
    """What came of a push for each stiffness scale.

    In m: how far the tip gives way ``at_once`` (0.1 s), ``at_most`` and ``at_last`` (after ``PUSH`` s), how
    far from its place it ``stays_off`` when let go, and the ``overshoot`` on the way back. ``tremble`` rad/s:
    of all joints at the end, rms; ``stiffness`` N/m: force over the way at most; ``joints_off`` rad: at the
    end.
    """
    return {name: _pushed(seed, scale) for name, scale in (scales or SCALES).items()}


def _pushed(seed: int, scale: float) -> dict[str, float]:
    side, finger = SIDES[seed % 2], FINGERS[1 + seed // 2 % 4]
    rig = HandRig(side, seed=seed)
    servo = Servo(parameters.load(PARAMETERS, side=side))
    state = rig.state()
    start, zero = state.joint_position, np.zeros(len(HAND.joints))
    body = rig.data.body(f"{side}_{finger}_distal")
    tips: list[np.ndarray] = []
    still: list[np.ndarray] = []
    for k in range(round((SETTLE + PUSH + BACK) / CONTROL_DT)):
        t = k * CONTROL_DT
        q_ref = start + min(2.0 * t / SETTLE, 1.0) * (bent() - start)
        soft = scale if t > 0.8 * SETTLE else 1.0
        torque = servo.torque(
            state.joint_position, state.joint_velocity, q_ref, zero, zero, CONTROL_DT, stiffness_scale=soft
        )
        if not tips and t >= SETTLE:
            rest = rig.privileged_joints()
            end = next(pad.end for pad in hand_parts(side)[1] if pad.link == body.name)
            back = body.xmat.reshape(3, 3) @ _dorsal(side, finger)
        if t >= SETTLE:
            force = FORCE * back if t < SETTLE + PUSH else np.zeros(3)
            tip = body.xpos + body.xmat.reshape(3, 3) @ end
            rig.data.xfrc_applied[body.id] = np.concatenate([force, np.cross(tip - body.xipos, force)])
            tips.append(privileged_tips(rig, side)[finger])
        if t >= SETTLE + PUSH + BACK - 0.5:
            still.append(rig.privileged_joints())
        refused = rig.command(
            TendonCommand(tick=state.tick, mode=DriveMode.TENSION, tension=servo.tensions(torque))
        )
        if refused is not None:
            raise NeoError(f"the drives refused: {refused}")
        rig.step()
        state = rig.state()
    way = np.array(tips) - tips[0]
    far = np.linalg.norm(way, axis=1)
    pushed, at_once = round(PUSH / CONTROL_DT) - 1, round(0.1 / CONTROL_DT)
    yielded = way[far[: pushed + 1].argmax()]
    direction = yielded / max(float(np.linalg.norm(yielded)), 1e-9)
    return {
        "at_once": float(far[at_once]),
        "at_most": float(np.linalg.norm(yielded)),
        "at_last": float(far[pushed]),
        "stays_off": float(np.median(far[-250:])),
        "overshoot": float(max(0.0, -(way[pushed + 1 :] @ direction).min())),
        "tremble": float(np.sqrt(np.mean((np.diff(still, axis=0) / CONTROL_DT) ** 2))),
        "stiffness": FORCE / max(float(np.linalg.norm(yielded)), 1e-9),
        "joints_off": float(np.abs(rig.privileged_joints() - rest).max()),
    }


def _dorsal(side: str, finger: str) -> np.ndarray:
    """Out of the back of the distal phalanx (3,), in its link."""
    return next(-pad.R_link_pad[:, 0] for pad in hand_parts(side)[1] if pad.taxel == f"{finger}_distal")
