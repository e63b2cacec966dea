"""Scenes: what stands on the table, where, and that it stays there."""

import mujoco
import numpy as np
import pytest
import yaml

from neo_description import scenes
from neo_description.errors import NeoError
from neo_description.objects import classes, colors, registry
from neo_description.tables import SIDES

SEEDS = range(10)


@pytest.fixture(scope="module")
def kitchen():
    return scenes.make("kitchen_table", seed=0)


def _spots(scene):
    return np.array([scene.qpos[thing.qpos[:2]] for thing in scene.objects])


def test_the_red_bottle_is_always_there_and_within_reach():
    sides = set()
    for seed in SEEDS:
        scene = scenes.make(seed=seed)
        x, y, z = scene.qpos[scene.object("red_bottle").qpos[:3]]
        assert 0.36 <= x <= 0.48
        assert abs(y) <= 0.30
        assert z == pytest.approx(0.78 + scene.object("red_bottle").size[2] / 2)
        sides.add(np.sign(y))
    assert sides == {-1.0, 1.0}


def test_objects_are_apart_and_in_the_region():
    for seed in SEEDS:
        spots = _spots(scenes.make(seed=seed))
        gaps = np.linalg.norm(spots[:, None] - spots[None], axis=2) + np.eye(len(spots))
        assert gaps.min() >= 0.12
        assert np.all((spots[:, 0] >= 0.36) & (spots[:, 0] <= 0.55) & (np.abs(spots[:, 1]) <= 0.35))


def test_a_seed_gives_the_same_scene_and_another_seed_another(kitchen):
    assert np.array_equal(scenes.make(seed=0).qpos, kitchen.qpos)
    assert not np.allclose(_spots(scenes.make(seed=1)), _spots(kitchen))


def test_soles_just_touch_and_nothing_else_of_the_robot_does(kitchen):
    data = kitchen.data()
    soles = [data.xpos[kitchen.index.body(f"{side}_sole")][2] for side in SIDES]
    assert np.allclose(soles, 0.0, atol=1e-9)
    things = {thing.body for thing in kitchen.objects}
    robot = np.zeros(kitchen.model.nbody, bool)
    robot[[b for b in range(1, kitchen.model.nbody) if b not in things]] = True
    for contact in data.contact[: data.ncon]:
        bodies = kitchen.model.geom_bodyid[contact.geom]
        names = {kitchen.model.body(b).name for b in bodies if robot[b]}
        assert not names or names <= {"l_sole", "r_sole"}


def test_objects_stay_where_they_were_put(kitchen):
    """The robot is hung up by its pelvis; two seconds pass."""
    model, data = kitchen.model, kitchen.data()
    start = kitchen.qpos.copy()
    hold = np.concatenate([kitchen.index.base_qvel, kitchen.index.body_qvel])
    keep = np.concatenate([kitchen.index.base_qpos, kitchen.index.body_qpos])
    for _ in range(2000):
        mujoco.mj_step(model, data)
        data.qvel[hold] = 0.0
        data.qpos[keep] = start[keep]
    for thing in kitchen.objects:
        moved = data.qpos[thing.qpos] - start[thing.qpos]
        assert np.linalg.norm(moved[:3]) < 0.002, thing.name


def test_every_object_of_the_registry_has_its_mass_size_and_friction_in_the_model():
    things = registry()
    for name, thing in things.items():
        scene = scenes.make(objects=[name])
        body = scene.object(name).body
        assert scene.model.body_mass[body] == pytest.approx(thing.mass)
        geoms = [g for g in range(scene.model.ngeom) if scene.model.geom_bodyid[g] == body]
        assert np.all(scene.model.geom_priority[geoms] == 1)
        assert np.all(scene.model.geom_friction[geoms, 0] == thing.friction)
        assert np.all(thing.size > 0.01)


def test_default_bottles_are_of_the_size_a_hand_takes():
    bottles = [thing for thing in registry().values() if thing.class_name == "bottle"]
    assert {"red", "blue"} <= {thing.color for thing in bottles}
    for bottle in bottles:
        assert 0.060 <= bottle.size[0] <= 0.070
        assert 0.20 <= bottle.size[2] <= 0.24
        assert 0.2 <= bottle.mass <= 0.5


def test_an_object_is_one_entry_of_a_file_from_outside(tmp_path):
    file = tmp_path / "mine.yaml"
    jar = {
        "class": "jar", "color": "pink", "mass": 0.3, "friction": 0.5,
        "shapes": [{"type": "cylinder", "size": [0.035, 0.1], "at": 0.05}],
    }  # fmt: skip
    file.write_text(yaml.safe_dump({"colors": {"pink": [1.0, 0.5, 0.7]}, "objects": {"pink_jar": jar}}))
    scene = scenes.make(objects=["pink_jar", "red_bottle"], objects_file=file)
    assert scene.object("pink_jar").class_name == "jar"
    assert "jar" in classes(file)
    assert colors(file)["pink"] == (1.0, 0.5, 0.7)
    assert [thing.name for thing in scene.objects] == ["red_bottle", "pink_jar"]


def test_shapes_stand_beside_the_axis_and_a_basket_is_hollow():
    scene = scenes.make(objects=["orange_basket", "blue_tray"])
    data = scene.data()
    basket, tray = (scene.object(name) for name in ("orange_basket", "blue_tray"))
    np.testing.assert_allclose(basket.size, [0.22, 0.18, 0.07])
    np.testing.assert_allclose(tray.size, [0.26, 0.20, 0.016])
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = data.xmat[basket.body].reshape(3, 3), data.xpos[basket.body]
    down, hit = -T[:3, 2], np.zeros((1, 1), np.int32)
    for aside, deep in ((0.0, 0.062), (0.100, 0.062), (0.106, 0.0)):  # floor, floor at the wall, wall
        above = T[:3, :3] @ [aside, 0.0, 0.035 + 0.1] + T[:3, 3]
        far = mujoco.mj_ray(scene.model, data, above, down, None, True, -1, hit)
        assert far - 0.1 == pytest.approx(deep, abs=1e-3)


def test_what_is_not_even_about_its_axis_has_its_frame_in_the_middle_of_its_box(tmp_path):
    file = tmp_path / "mine.yaml"
    row = {
        "class": "pan", "color": "red", "mass": 0.3, "friction": 0.5,
        "shapes": [
            {"type": "cylinder", "size": [0.05, 0.04], "at": 0.02},
            {"type": "box", "size": [0.1, 0.02, 0.02], "at": 0.02, "offset": [0.1, 0.0]},
        ],
    }  # fmt: skip
    file.write_text(yaml.safe_dump({"objects": {"pan": row}}))
    scene = scenes.make(objects=["pan"], objects_file=file)
    np.testing.assert_allclose(scene.object("pan").size, [0.2, 0.1, 0.04])
    geoms = scene.model.geom_bodyid == scene.object("pan").body
    np.testing.assert_allclose(scene.model.geom_pos[geoms], [[-0.05, 0, 0], [0.05, 0, 0]], atol=1e-9)


def test_wide_things_stand_where_their_row_says_with_room_around_them():
    names = ["red_bottle", "green_cup", "purple_plum", "orange_basket"]
    for seed in range(4):
        scene = scenes.make("kitchen_table", seed, objects=names)
        places = {thing.name: scene.qpos[thing.qpos[:2]] for thing in scene.objects}
        x, y = places.pop("orange_basket")
        assert 0.42 <= x <= 0.50
        assert abs(y) <= 0.22
        for place in places.values():
            assert np.hypot(*(place - (x, y))) > np.hypot(0.22, 0.18) / 2 + 0.04


def test_a_scene_from_outside(tmp_path):
    file = tmp_path / "scenes.yaml"
    table = {"height": 0.7, "front": 0.35, "depth": 0.5, "width": 1.0}
    region = {"x": [0.4, 0.5], "y": [-0.2, 0.2]}
    row = {"posture": "ready", "table": table, "objects": ["green_cup"], "region": region, "apart": 0.1}
    file.write_text(yaml.safe_dump({"low_table": row}))
    scene = scenes.make("low_table", scene_file=file)
    assert scene.table.height == 0.7
    assert scene.qpos[scene.object("green_cup").qpos[2]] == pytest.approx(0.7 + 0.0961 / 2)


def test_a_scene_by_hand_has_things_on_the_floor_and_no_table():
    thing = registry()["red_bottle"]
    scene = scenes.furnish("floor", [scenes.Placed(thing, (0.4, -0.2, 0.0), 0.5)], posture="stand")
    data = scene.data()
    assert scene.table is None
    np.testing.assert_allclose(data.body("red_bottle").xpos, [0.4, -0.2, thing.size[2] / 2], atol=1e-9)
    assert scene.object("red_bottle").size == pytest.approx(thing.size)


def test_the_empty_scene_has_floor_and_robot_only():
    scene = scenes.make("empty")
    assert scene.objects == ()
    assert scene.table is None
    assert scene.posture == "stand"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"name": "moon"}, "kitchen_table"),
        ({"objects": ["red_bottel"]}, "red_bottle"),
        ({"objects": ["red_bottle", "red_bottle"]}, "twice"),
        ({"name": "empty", "objects": ["red_bottle"]}, "no table"),
        ({"objects_file": "/nowhere/objects.yaml"}, "cannot read"),
    ],
)
def test_refuses_with_what_is_allowed(arguments, says):
    with pytest.raises(NeoError, match=says):
        scenes.make(**arguments)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"mass": -1.0}, "mass"),
        ({"color": "mauve"}, "mauve"),
        ({"friction": 0}, "friction"),
        ({"shapes": [{"type": "cone", "size": [0.1], "at": 0.05}]}, "cone"),
        ({"shapes": [{"type": "sphere", "size": [0.03, 1], "at": 0.03}]}, "size"),
        ({"shapes": [{"type": "sphere", "size": [0.03], "at": 0.05}]}, "lowest"),
        ({"shapes": [{"type": "sphere", "size": [0.03], "at": 0.03, "offset": [0.1]}]}, "offset"),
    ],
)
def test_a_wrong_entry_is_refused_by_name(change, says, tmp_path):
    entry = {
        "class": "ball", "color": "red", "mass": 0.1, "friction": 0.5,
        "shapes": [{"type": "sphere", "size": [0.03], "at": 0.03}],
    }  # fmt: skip
    file = tmp_path / "objects.yaml"
    file.write_text(yaml.safe_dump({"objects": {"odd_ball": entry | change}}))
    with pytest.raises(NeoError, match=says):
        registry(file)
