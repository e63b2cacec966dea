"""What a world model foretells."""

from __future__ import annotations

import numpy as np
from neo_msgs import msg, srv

from neo_description.signals import Belief, Consequence, Consequences, Foretold
from neo_ros.convert.fields import sequence, stamp, stamped
from neo_ros.convert.geometry import point_message, xyz


def consequences(message: msg.Consequences) -> Consequences:
    """The signal of a ``world_model/consequences`` message."""
    rows = zip(message.name, message.chance, message.likely_after, message.calibrated, strict=True)
    return Consequences(stamp(message), message.horizon, [Consequence(*row) for row in rows])


def consequences_message(signal: Consequences) -> msg.Consequences:
    """The ``world_model/consequences`` message."""
    events = signal.events
    message = msg.Consequences(
        horizon=signal.horizon,
        name=[event.name for event in events],
        chance=sequence(np.array([event.chance for event in events])),
        likely_after=sequence(np.array([event.likely_after for event in events])),
        calibrated=[event.calibrated for event in events],
    )
    return stamped(message, signal.time)


def belief(message: msg.Belief) -> Belief:
    """One thing that a prompt names."""
    return Belief(message.role, xyz(message.position), message.std, message.in_view, message.still_there)


def belief_message(signal: Belief) -> msg.Belief:
    """The message of one thing that a prompt names."""
    return msg.Belief(
        role=signal.role,
        position=point_message(signal.position),
        std=signal.std,
        in_view=signal.in_view,
        still_there=signal.still_there,
    )


def foretold(response: srv.Foretell.Response) -> Foretold:
    """The signal of an answer of ``world_model/foretell`` that has one."""
    beliefs = [belief(one) for one in response.beliefs]
    return Foretold(consequences(response.consequences), response.vetoed, response.would, beliefs)


def foretold_response(signal: Foretold) -> srv.Foretell.Response:
    """The answer of ``world_model/foretell``."""
    return srv.Foretell.Response(
        success=True,
        consequences=consequences_message(signal.consequences),
        vetoed=signal.vetoed,
        would=signal.would,
        beliefs=[belief_message(one) for one in signal.beliefs],
    )
