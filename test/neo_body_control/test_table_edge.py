"""Ways of a hand round the edge of a table that begins 0.3 m ahead and is 0.78 m high."""

import itertools

import numpy as np
import pytest
from body_rig import Rig, side_grasp

from neo_body_control.reach import Reach
from neo_body_control.settings import load_parameters
from neo_body_control.table_edge import Edge, around, edge_of
from neo_description import scenes
from neo_description.errors import RefusedError

EDGE = Edge(np.array([0.3, 0.0, 0.78]), np.array([1.0, 0.0]))
OVER, LOW_OVER, BEHIND = (0.45, 0.15, 0.95), (0.45, 0.15, 0.84), (0.08, 0.33, 0.65)


def pose(p):
    T = np.eye(4)
    T[:3, 3] = p
    return T


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (OVER, (0.5, -0.1, 0.90)), (OVER, LOW_OVER), (LOW_OVER, OVER), (LOW_OVER, (0.55, 0.0, 0.84)),
        (BEHIND, (0.05, 0.33, 1.1)), ((0.2, 0.2, 0.89), LOW_OVER), ((0.05, 0.3, 0.95), OVER),
    ],
    ids=["over it", "down to it", "up from it", "along it", "before it", "from standing", "level"],
)  # fmt: skip
def test_a_way_that_the_table_does_not_bar_is_straight(a, b):
    (only,) = around(EDGE, pose(a), pose(b))
    np.testing.assert_array_equal(only, pose(b))


@pytest.mark.parametrize(
    ("a", "b"),
    [(OVER, BEHIND), (BEHIND, OVER), (LOW_OVER, BEHIND), (BEHIND, LOW_OVER), (OVER, (0.2, 0.3, 0.7))],
)
def test_a_way_past_the_edge_keeps_clear_of_it(a, b):
    way = [pose(a), *around(EDGE, pose(a), pose(b))]
    assert len(way) > 2
    for before, after in itertools.pairwise(way):
        assert not EDGE.in_the_way(before[:3, 3], after[:3, 3])
    np.testing.assert_array_equal(way[-1], pose(b))


def test_a_turned_table_has_a_turned_edge():
    c, s = np.cos(0.5), np.sin(0.5)
    T = np.eye(4)
    T[:2, :2], T[:3, 3] = [[c, -s], [s, c]], (1.0, 0.2, 0.78)
    edge = edge_of(T, np.array([0.6, 1.0, 0.0]), None)
    np.testing.assert_allclose(edge.place, [1.0 - 0.3 * c, 0.2 - 0.3 * s, 0.78])
    assert edge.along(np.array([1.0, 0.2, 0.0])) == pytest.approx(0.3)


def test_of_a_table_seen_in_parts_the_nearest_edge_counts_until_another_is_seen():
    def seen(x, z, known):
        return edge_of(pose((x, 0.0, z)), np.array([0.4, 1.0, 0.0]), known)

    edge = seen(0.5, 0.78, None)
    assert edge.place[0] == pytest.approx(0.3)
    assert seen(0.7, 0.785, edge).place[0] == pytest.approx(0.3)
    assert seen(0.45, 0.78, edge).place[0] == pytest.approx(0.25)
    assert seen(0.9, 0.60, edge).place[0] == pytest.approx(0.7)


@pytest.mark.parametrize("edge", [EDGE, None], ids=["known", "not known"])
def test_only_a_hand_that_knows_of_the_edge_gets_behind_it_without_touching_the_table(edge):
    rig = Rig(scenes.make("kitchen_table", 0, objects=[])).stand()
    touched, params = False, load_parameters()
    for x, y, z in (OVER, BEHIND, OVER):
        reach = Reach(rig.body, params, "r", side_grasp("r", [x, -y, z], 0.2), tolerance=0.01, edge=edge)
        while (outcome := reach.step()) is None:
            rig.tick()
            touched |= rig.plant.privileged.robot_touches("table_top")
        assert outcome.success or edge is None, outcome
    assert touched == (edge is None)


def test_a_way_round_the_edge_that_leads_out_of_reach_is_refused():
    rig = Rig().stand()
    far = Edge(np.array([-1.5, 0.0, 0.8]), np.array([1.0, 0.0]))  # it would have to go behind the robot
    with pytest.raises(RefusedError, match="from the shoulder"):
        Reach(rig.body, load_parameters(), "r", side_grasp("r", [0.2, -0.3, 0.95]), edge=far)
    assert len(rig.body.queue) == 0
