"""The console without ROS or browser: meshes, poses, drawings, health of nodes."""

from types import SimpleNamespace

import mujoco
import numpy as np
import pytest

from neo_bringup.console import charts, drawings, expectations, meshes
from neo_bringup.console.following import LEASH, Following
from neo_bringup.console.health import NodeWatch
from neo_bringup.console.node import furniture
from neo_bringup.console.scene import ObjectsView, RobotView, object_mesh
from neo_bringup.console.snapshot import Health, NodeState, Snapshot, TaskView
from neo_bringup.faults_bench import killed
from neo_description.builder import build_robot
from neo_description.signals import DetectedObject, DriveMode, Safety, Scene
from neo_description.tables import JOINTS


class FakeNode:
    """A viser node: remembers what it was told."""

    def __init__(self):
        self.told = 0
        self.removed = False

    def __setattr__(self, name, value):
        if name in ("wxyz", "position"):
            object.__setattr__(self, "told", self.told + 1)
        object.__setattr__(self, name, value)

    def remove(self):
        self.removed = True


class FakeScene:
    """viser's scene, as far as the views use it."""

    def __init__(self):
        self.nodes = {}

    def _add(self, name, *_, **__):
        self.nodes[name] = FakeNode()
        return self.nodes[name]

    add_frame = add_mesh_simple = add_label = _add

    def shown(self, prefix):
        return {name for name, node in self.nodes.items() if name.startswith(prefix) and not node.removed}


@pytest.fixture(scope="module")
def model():
    return build_robot(tendons=False).compile()


@pytest.mark.parametrize(
    ("mesh", "volume"),
    [
        (meshes.box(np.array([0.1, 0.2, 0.3])), 0.048),
        (meshes.cylinder(0.1, 0.2), np.pi * 0.01 * 0.4),
        (meshes.ellipsoid(np.array([0.1, 0.2, 0.3])), 4 / 3 * np.pi * 0.006),
        (meshes.capsule(0.1, 0.2), np.pi * 0.01 * 0.4 + 4 / 3 * np.pi * 0.001),
        (object_mesh("ball", np.array([0.2, 0.2, 0.2])), 4 / 3 * np.pi * 0.001),
    ],
    ids=["box", "cylinder", "ellipsoid", "capsule", "ball"],
)
def test_a_mesh_encloses_its_shape_and_looks_outwards(mesh, volume):
    assert mesh.volume() == pytest.approx(volume, rel=0.06)


def test_every_visible_geom_of_the_robot_is_drawn_at_its_place(model):
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    visible = model.geom_group < meshes.VISIBLE_GROUPS
    drawn = [link for link in meshes.links(model) if link.parts]
    assert {link.body for link in drawn} == set(model.geom_bodyid[visible])
    for link in drawn:
        points = np.concatenate([part.vertices for part in link.parts.values()])
        own = visible & (model.geom_bodyid == link.body)
        reach = np.linalg.norm(model.geom_pos[own], axis=1) + model.geom_rbound[own]
        assert np.linalg.norm(points, axis=1).max() <= reach.max() + 1e-9


def test_links_stand_where_kinematics_puts_them(model):
    view = RobotView(FakeScene(), model)
    assert set(view.joints) == set(JOINTS)
    rng = np.random.default_rng(3)
    joints = dict(zip(JOINTS, rng.uniform(-0.3, 0.3, len(JOINTS)), strict=True))
    T = np.eye(4)
    T[:3, 3] = 0.4, -0.2, 0.9
    view.put(joints, T)
    data = mujoco.MjData(model)
    data.qpos[:7] = 0.4, -0.2, 0.9, 1, 0, 0, 0
    for name, value in joints.items():
        data.joint(name).qpos[0] = value
    mujoco.mj_kinematics(model, data)
    poses = {0: np.eye(4)}
    for body in range(1, model.nbody):
        wxyz, position = view.relative(body, model.body_parentid[body])
        step = np.eye(4)
        rotation = np.zeros(9)
        mujoco.mju_quat2Mat(rotation, wxyz)
        step[:3, :3], step[:3, 3] = rotation.reshape(3, 3), position
        poses[body] = poses[model.body_parentid[body]] @ step
        np.testing.assert_allclose(poses[body][:3, 3], data.xpos[body], atol=1e-9)


def test_the_table_of_a_scene_from_a_file_is_drawn():
    given = {"furniture": "plum_table", "furniture_file": str(killed.HERE / "plum_table.yaml")}
    assert furniture(SimpleNamespace(**given)).nbody > 1
    assert furniture(SimpleNamespace(furniture="", furniture_file="")) is None


def test_only_links_that_moved_are_sent(model):
    scene = FakeScene()
    view = RobotView(scene, model)
    view.put({}, np.eye(4))
    before = {name: node.told for name, node in scene.nodes.items()}
    view.put({"l_elbow_pitch": -0.5, "r_elbow_pitch": 1e-4}, np.eye(4))
    told = [name for name, node in scene.nodes.items() if node.told != before[name]]
    assert len(told) == 1


def test_a_joint_that_is_no_number_leaves_the_picture_as_it_was(model):
    view = RobotView(FakeScene(), model)
    view.put({"l_elbow_pitch": float("nan"), "no_such_joint": 1.0}, np.full((4, 4), np.nan))
    for body in range(1, model.nbody):
        assert np.isfinite(np.concatenate(view.relative(body, model.body_parentid[body]))).all()


def thing(number, color="red", visible=1.0):
    size = np.array([0.06, 0.06, 0.2])
    return DetectedObject(number, "bottle", color, np.eye(4), np.eye(6), size, 0.9, visible, 0.0)


def test_the_world_moves_under_a_robot_that_walks_and_not_under_one_that_sways():
    world, floor, T = FakeNode(), FakeNode(), np.eye(4)
    floor.position = (0.0, 0.0, -0.002)
    following = Following(world, floor)
    for x in (0.1, -0.1, np.nan):
        T[0, 3] = x
        following.put(T)
    following.put(None)
    assert world.told == 0
    T[:2, 3] = 3.0, -4.0
    following.put(T)
    seen = T[:3, 3] + world.position
    assert np.linalg.norm(seen[:2]) == pytest.approx(LEASH)
    assert floor.position == (3.0, -4.0, -0.002)  # whole squares: its lines lie where they lay


def test_objects_come_change_and_go_with_perception():
    scene = FakeScene()
    view = ObjectsView(scene)
    view.put(Scene(1.0, [thing(1), thing(2)]), np.eye(4))
    assert len(scene.shown("/odom/seen/object_1")) == len(scene.shown("/odom/seen/object_2")) == 3
    first = scene.nodes["/odom/seen/object_1/body"]
    view.put(Scene(2.0, [thing(1)]), np.eye(4))
    assert scene.nodes["/odom/seen/object_1/body"] is first
    assert not scene.shown("/odom/seen/object_2")
    view.put(Scene(3.0, [thing(1, visible=0.0)]), np.eye(4))
    assert first.removed
    assert len(scene.shown("/odom/seen/object_1")) == 3


def test_what_came_over_the_wire_cannot_become_markup():
    bad = "<script>alert(1)</script>"
    node = drawings.nodes([NodeState(bad, Health.WARN, bad)])
    task = drawings.task(TaskView(prompt=bad, running=True, phase=bad, detail=bad, note=bad))
    done = drawings.task(TaskView(prompt=bad, outcome=bad))
    safety = drawings.safety(
        Snapshot(safety=Safety.ACTIVE, safety_reason=bad, drive_mode=DriveMode.TENSION, state_age=0.0), 3.0
    )
    for text in (node, task, done, safety):
        assert "<script" not in text
        assert "&lt;script" in text


def test_colours_run_from_pale_to_dark_and_stay_in_range():
    assert charts.heat(-1.0) == charts.heat(0.0) != charts.heat(1.0) == charts.heat(9.0)


@pytest.mark.parametrize(
    ("snapshot", "text"),
    [
        (Snapshot(), "NO ROBOT"),
        (Snapshot(safety=Safety.ACTIVE), "NO CONTACT"),
        (Snapshot(safety=Safety.ACTIVE, state_age=9.0), "NO CONTACT"),
        (Snapshot(safety=Safety.ACTIVE, state_age=0.1, runstop=True), "RUNSTOP"),
        (Snapshot(safety=Safety.ACTIVE, state_age=0.1), "ACTIVE"),
        (Snapshot(safety=Safety.STOP, state_age=0.1), "STOPPED"),
    ],
)
def test_the_chip_never_claims_more_than_is_known(snapshot, text):
    assert f"<b>{text}</b>" in drawings.safety(snapshot, silent_after=3.0)


def test_a_person_who_drives_is_shown_and_whether_they_agreed_to_be_recorded():
    assert "DRIVES" not in drawings.safety(Snapshot(operator={"teleop/engaged": False}), 3.0)
    drives = {"teleop/engaged": True, "teleop/consent": False}
    shown = drawings.safety(Snapshot(operator=drives), 3.0)
    assert "A PERSON DRIVES" in shown
    assert "nothing is recorded" in shown
    assert "agreed to be recorded" in drawings.safety(
        Snapshot(operator=drives | {"teleop/consent": True}), 3.0
    )


def test_health_of_nodes():
    watch = NodeWatch(["sim", "task", "camera", "recorder"], silent_after=3.0)
    watch.present(["sim", "task", "camera", "stranger"])
    watch.diagnosed("sim", 0, "ok", now=10.0)
    watch.diagnosed("task", 1, "refused do_task", now=10.0)
    watch.diagnosed("stranger", 2, "?", now=10.0)
    assert [s.health for s in watch.states(11.0)] == [Health.OK, Health.WARN, Health.OK, Health.ABSENT]
    watch.heard("task", now=14.0)
    watch.present(["task", "camera"])
    assert [s.health for s in watch.states(14.5)] == [Health.GONE, Health.WARN, Health.OK, Health.ABSENT]
    watch.present(["sim", "task", "camera"])
    assert watch.states(14.5)[0].health is Health.SILENT
    watch.forget_times()
    assert watch.states(99.0)[0].health is Health.OK


def test_what_is_imagined_stands_beside_how_surprising_it_was():
    snapshot = Snapshot(
        imagined={side: np.full((48, 64, 3), 90, np.uint8) for side in ("left", "right")},
        surprise=0.993, surprised_by={"touch": 0.7, "proprio": 0.3}, surprise_age=0.1,
    )  # fmt: skip
    shown = expectations.imagined(snapshot, 1.0)
    assert shown.count("data:image/png;base64,") == 2
    assert "surprise 99 %" in shown
    assert "most by touch" in shown
    assert drawings.HEALTH_COLOUR[Health.ERROR] in shown
    snapshot.surprise_age = 5.0
    assert "no world model" in expectations.imagined(snapshot, 1.0)
    assert "no world model" in expectations.imagined(Snapshot(), 1.0)
