"""The hand is one that can hold: a bottle in a power grasp, a small box between thumb and fingers."""

import mujoco
import numpy as np
import pytest
from hand_bench import HandBench, fingers, nothing, shaking

from neo_description import hand
from neo_description.tables import TAXELS

OPPOSED = {"thumb_cmc_opp": 1.25, "thumb_cmc_flex": -0.35}
AROUND = OPPOSED | fingers(0.7, 0.2, 0.1)
WRAP = {
    "thumb_cmc_opp": 1.25, "thumb_cmc_flex": 0.3, "thumb_mcp_flex": 0.7, "thumb_ip_flex": 0.9,
    "little_cmc_flex": 0.2,
} | fingers(1.5, 1.3, 0.7)  # fmt: skip
PINCH_BEFORE = OPPOSED | {"thumb_cmc_flex": -0.3, "thumb_mcp_flex": 0.2} | fingers(0.6, 0.4, 0.2)
PINCH = (
    {"thumb_cmc_opp": 1.25, "thumb_cmc_flex": 0.2, "thumb_mcp_flex": 0.45, "thumb_ip_flex": 0.3}
    | fingers(1.2, 0.5, 0.25, ("index", "middle"))
    | fingers(0.3, 0.3, 0.2, ("ring", "little"))
)


@pytest.mark.parametrize(("side", "diameter"), [("l", 0.060), ("l", 0.066), ("r", 0.066), ("l", 0.070)])
def test_power_grasp_holds_a_bottle_when_shaken(side, diameter):
    radius = diameter / 2
    bench = HandBench(
        side, mujoco.mjtGeom.mjGEOM_CYLINDER, (radius, 0.1, 0.0), 0.35, offset=(0.0, 0.0, radius - 0.033)
    )
    bench.pose(AROUND)
    bench.close(WRAP, effort=0.15, seconds=1.0, gravity=nothing)
    before = bench.thing()
    bench.close(WRAP, effort=0.15, seconds=2.0, gravity=shaking)
    assert np.linalg.norm(bench.thing() - before) < 0.006
    touching = {TAXELS[i].split("_")[0] for i in np.flatnonzero(bench.normal_forces() > 0.3)}
    assert {"thumb", "index", "middle", "ring"} <= touching


def test_pinch_holds_a_40_mm_box_with_opposing_contacts():
    bench = HandBench("l", mujoco.mjtGeom.mjGEOM_BOX, (0.02, 0.02, 0.02), 0.08, offset=(0.016, 0.020, 0.042))
    bench.pose(PINCH_BEFORE)
    bench.close(PINCH, effort=0.3, seconds=1.0, gravity=nothing)
    before = bench.thing()
    bench.close(PINCH, effort=0.3, seconds=2.0, gravity=shaking)
    assert np.linalg.norm(bench.thing() - before) < 0.008
    forces = bench.forces()
    touching = [i for i in range(len(TAXELS)) if np.linalg.norm(forces[i]) > 0.3]
    assert len(touching) >= 3
    thumb = sum(forces[i] for i in touching if TAXELS[i].startswith("thumb"))
    others = sum(forces[i] for i in touching if not TAXELS[i].startswith("thumb"))
    assert np.dot(thumb, others) < -0.7 * np.linalg.norm(thumb) * np.linalg.norm(others)


def test_pads_face_the_object_in_a_wrap():
    """Normal forces are positive at the pads that hold, and the thumb's pad looks at the fingers' pads."""
    bench = HandBench("l", mujoco.mjtGeom.mjGEOM_CYLINDER, (0.033, 0.1, 0.0), 0.35)
    bench.pose(AROUND)
    bench.close(WRAP, effort=0.15, seconds=1.0, gravity=nothing)
    tips = [TAXELS.index(f"{f}_distal") for f in hand.FINGERS]
    assert np.all(bench.normal_forces()[tips] > 0.5)
    thumb, index = (
        bench.data.site(f"l_{name}_distal_pad").xmat.reshape(3, 3)[:, 0] for name in ("thumb", "index")
    )
    assert thumb[0] > 0.2  # ahead, to the fingers
    assert index[0] < -0.2  # back, to the thumb
    assert min(thumb[1], index[1]) > 0.5  # both to the palm


def test_left_and_right_hands_mirror():
    left, right = hand.hand_parts("l")[0], hand.hand_parts("r")[0]
    for a, b in zip(left, right, strict=True):
        assert np.allclose(np.array(a.position) * (1, -1, 1), b.position)
        assert np.allclose(np.array(a.axis) * (-1, 1, -1), b.axis)  # an axis is a pseudo-vector
