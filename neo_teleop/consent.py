"""What an operator agrees to before a session is recorded; words shown and words agreed to are one."""

from __future__ import annotations

import hashlib

from neo_description.errors import RefusedError

WORDS = (
    "While this session lasts, the robot records what it senses and does: its camera pictures, with whatever "
    "and whoever is in front of it, the forces it feels, its motion, and every command that your hands, head "
    "and fingers give it. It records no picture of you, no voice and no name. The recording stays on the "
    "robot until somebody who may do so sends or deletes it, is marked as driven by a person (teleop), and "
    "may be used to train robots."
)
ID = hashlib.sha256(WORDS.encode()).hexdigest()[:16]  # changes with the words


def recorded(agreed: str) -> bool:
    """Whether a session is recorded: ``agreed`` is :data:`ID`, or empty where the operator did not agree.

    RefusedError: they agreed to other words.
    """
    if agreed not in ("", ID):
        raise RefusedError(
            f"agreed to words {agreed!r}, not to those shown now ({ID}); read them and confirm"
        )
    return agreed == ID
