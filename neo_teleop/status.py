"""What an operator is told of the robot: plain values that go out as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from neo_description.signals import GraspStatus, Safety
from neo_teleop.clutch import Clutch
from neo_teleop.desk import Desk
from neo_teleop.teleop import Teleop
from neo_teleop.walk import Walk


def clutches(teleop: Teleop) -> dict[str, Any]:
    """By side, and ``walk``: whether it is engaged, why not, and whether a press would."""
    rows: dict[str, Clutch | Walk] = {**teleop.clutches, "walk": teleop.walk}
    return {
        name: {"engaged": row.engaged, "ready": row.ready, "reason": row.reason} for name, row in rows.items()
    }


def hands(felt: dict[str, GraspStatus], pads: dict[str, dict[str, float]]) -> dict[str, Any]:
    """By side: phase, grasp, forces (N), slip (0..1), and ``pads``: normal force (N) by finger."""
    return {
        side: {
            "phase": hand.phase.name.lower(),
            "grasp": hand.grasp,
            "force": round(hand.normal_force, 3),
            "slip": round(hand.slip, 3),
            "contacts": hand.contacts,
            "pads": {name: round(force, 3) for name, force in pads.get(side, {}).items()},
        }
        for side, hand in felt.items()
    }


def told(
    desk: Desk,
    teleop: Teleop,
    *,
    time: float | None,
    robot: Safety,
    felt: dict[str, GraspStatus],
    recording: dict[str, Any],
    reason: str = "",
    missing: str = "",
    refused: Sequence[str] = (),
    note: str = "",
    pads: dict[str, dict[str, float]] | None = None,
) -> dict[str, Any]:
    """All of it at plant time ``time`` (s): ``reason`` of the ``robot``'s state, what is ``missing`` to
    command it, what its controllers ``refused``, and the answer to the last button (``note``)."""
    return {
        "time": time,
        "robot": robot.name.lower().replace("_", " "),
        "reason": reason,
        "missing": missing,
        "session": session(desk),
        "ended": desk.ended,
        "recording": recording,
        "clutches": clutches(teleop),
        "hands": hands(felt, pads or {}),
        "refused": list(refused),
        "note": note,
    }


def session(desk: Desk) -> dict[str, Any] | None:
    """Who drives, whether it is recorded, and whether frames count yet; None: nobody."""
    now = desk.session
    return None if now is None else {"who": now.who, "recorded": now.recorded, "ready": desk.ready}
