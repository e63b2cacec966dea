"""The pad map: every pad is drawn once, in the right place, and shows what its reading says."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from neo_bringup.console import pad_map
from neo_bringup.console.charts import heat
from neo_bringup.console.snapshot import HandView, Snapshot
from neo_description.hand import directions, hand_parts
from neo_description.signals import GraspPhase, GraspStatus
from neo_description.tables import HAND, TAXELS


def view(force=None, valid=None, **status):
    return HandView(
        np.zeros((len(TAXELS), 3)) if force is None else force,
        np.ones(len(TAXELS), bool) if valid is None else valid,
        np.zeros(len(HAND.tendons)),
        GraspStatus(**status),
    )


def drawn(**hands):
    """The drawing as a tree: that it can be parsed is part of every test."""
    text = pad_map.hands(Snapshot(hands=hands), full_scale=8.0)
    return ET.fromstring(text)


def pads(tree):
    """Pad → the rectangle that shows it."""
    rects = [rect for rect in tree.iter("rect") if rect.find("title") is not None]
    return {rect.find("title").text.split(":")[0]: rect for rect in rects}


def test_every_pad_of_both_hands_is_drawn_once():
    found = pads(drawn(l=view(), r=view()))
    assert len(found) == 2 * len(TAXELS)
    assert set(found) == {f"{side}_{name}" for side in "lr" for name in TAXELS}


def test_colour_is_the_normal_force_and_its_text_tells_it():
    force = np.zeros((len(TAXELS), 3))
    force[2] = 6.0, 0.0, 0.0
    found = pads(drawn(r=view(force)))
    assert found["r_thumb_distal"].get("fill") == heat(6.0 / 8.0)
    assert found["r_thumb_distal"].find("title").text == "r_thumb_distal: 6.00 N, shear 0.00 N"
    assert found["r_index_distal"].get("fill") == heat(0.0)


def test_dead_pads_are_hatched_and_counted_and_do_not_add_to_the_grip():
    force = np.full((len(TAXELS), 3), 1.0)
    valid = np.ones(len(TAXELS), bool)
    valid[:4] = False
    tree = drawn(l=view(force, valid))
    assert [rect.get("fill") for rect in pads(tree).values()].count("url(#neo-dead)") == 4
    text = " ".join(tree.itertext())
    assert "4 dead" in text
    assert "15.0 N" in text
    force[7] = np.nan  # what comes over the wire may be anything
    assert pads(drawn(l=view(force, valid)))[f"l_{TAXELS[7]}"].get("fill") == "url(#neo-dead)"


@pytest.mark.parametrize("side", ["l", "r"])
def test_shear_arrows_point_to_the_fingertip_and_to_the_left(side):
    force = np.zeros((len(TAXELS), 3))
    force[TAXELS.index("middle_distal")] = 0.0, 1.0, 0.0
    force[TAXELS.index("palm_distal_ulnar")] = 0.0, 0.0, 1.0
    arrows = [
        path.get("d") for path in drawn(**{side: view(force)}).iter("path") if path.get("class") == "shear"
    ]
    assert arrows == ["M0 0L-0.0 -8.0", "M0 0L-8.0 -0.0"]  # y of the drawing runs down


@pytest.mark.parametrize("side", ["l", "r"])
def test_pads_lie_as_they_lie_on_the_hand(side):
    """Along the fingers up, to the thumb's side: right on the right hand, left on the left."""
    u, v, _ = directions(side).T
    surfaces = {pad.taxel: pad.surface for pad in hand_parts(side)[1] if pad.taxel.startswith("palm")}
    places = {}
    tree = drawn(**{side: view()})
    for group in tree.iter("g"):
        title = group.find("rect/title")
        if title is not None:
            x, y = group.get("transform").split("(")[1].split(")")[0].split()
            places[title.text.split(":")[0][2:]] = float(x), float(y)
    thumbwards = 1.0 if side == "r" else -1.0
    middle = "palm_proximal_ulnar"
    for name, surface in surfaces.items():
        along = (surface - surfaces[middle]) @ u
        across = (surface - surfaces[middle]) @ v
        right, down = np.subtract(places[name], places[middle])
        assert np.sign(np.round(along, 6)) == -np.sign(down)
        assert np.sign(np.round(across, 6)) == thumbwards * np.sign(right)
    assert thumbwards * (places["thumb_distal"][0] - places["little_distal"][0]) > 0


def test_grip_target_and_slip_are_told_and_names_are_escaped():
    force = np.zeros((len(TAXELS), 3))
    force[:5, 0] = 2.0
    status = {"phase": GraspPhase.HOLDING, "grasp": "<b>x</b>", "grip_target": 12.0, "slip": 0.25}
    text = " ".join(drawn(r=view(force, **status)).itertext())
    for part in ("right hand: holding", "<b>x</b>", "10.0 / 12.0 N", "0.25", "left hand: not heard"):
        assert part in text
