"""What a hand holds goes where the hand goes, as it lay in it."""

import numpy as np
import pytest

from neo_description.signals import BodyEstimate, GraspPhase, GraspStatus, Safety
from neo_task.in_hand import AT_HAND, InHand

UNKNOWN = np.full(3, np.nan)


def gripper(x, y, z, heading=0.0):
    T = np.eye(4)
    c, s = np.cos(heading), np.sin(heading)
    T[:2, :2], T[:3, 3] = [[c, -s], [s, c]], (x, y, z)
    return T


class Hands:
    def __init__(self):
        self.thing, self.poses = (
            InHand(elsewhere=0.15),
            {"l": gripper(0.0, 0.3, 1.0), "r": gripper(0.4, -0.2, 0.9)},
        )
        self.phases = dict.fromkeys(self.poses, GraspPhase.IDLE)

    def __call__(self, believed=UNKNOWN, seen=None):
        estimate = BodyEstimate(
            0, 0.0, np.eye(4), np.zeros(6), self.poses["l"], self.poses["r"], np.eye(4), Safety.ACTIVE, ""
        )
        hands = {side: GraspStatus(phase=phase) for side, phase in self.phases.items()}
        return self.thing.place(estimate, hands, np.asarray(believed, float), seen)


def test_it_moves_and_turns_with_the_hand_until_that_opens():
    hands = Hands()
    assert hands((0.45, -0.2, 0.9)) is None
    hands.phases["r"] = GraspPhase.HOLDING
    np.testing.assert_allclose(hands((0.45, -0.2, 0.9)), (0.45, -0.2, 0.9))
    hands.poses["r"] = gripper(0.3, 0.1, 1.0, np.pi / 2)
    np.testing.assert_allclose(hands((0.45, -0.2, 0.9)), (0.3, 0.15, 1.0))  # whatever eyes say
    np.testing.assert_allclose(hands(UNKNOWN), (0.3, 0.15, 1.0))
    hands.phases["r"] = GraspPhase.RELEASING
    assert hands((0.3, 0.15, 1.0)) is None


@pytest.mark.parametrize(
    "believed", [(0.4, -0.2, 0.9 + 1.1 * AT_HAND), UNKNOWN], ids=["elsewhere", "nowhere"]
)
def test_what_was_not_there_when_the_hand_closed_is_not_in_it(believed):
    hands = Hands()
    hands.phases["r"] = GraspPhase.HOLDING
    assert hands(believed) is None
    assert hands((0.4, -0.2, 0.9)) is None  # it was another thing all along
    hands.phases["r"] = GraspPhase.LOST
    hands()
    hands.phases["r"] = GraspPhase.HOLDING
    np.testing.assert_allclose(hands((0.4, -0.2, 0.9)), (0.4, -0.2, 0.9))


def test_what_is_seen_elsewhere_is_not_in_the_hand():
    hands = Hands()
    hands.phases["r"] = GraspPhase.HOLDING
    assert hands((0.4, -0.2, 0.9), seen=np.array([0.4, -0.1, 0.9])) is not None  # a little late
    assert hands((0.4, -0.2, 0.9), seen=np.array([0.4, 0.0, 0.9])) is None
    assert hands((0.4, -0.2, 0.9)) is None
