"""Both camera backends behind the one interface: geometry, noise, calibration, and what they refuse."""

import cv2
import mujoco
import numpy as np
import pytest
import yaml

from neo_description.errors import NeoError
from neo_description.tables import BODY
from neo_sensors import calibration
from neo_sensors.camera import open_camera

BASELINE = 0.08


@pytest.fixture
def sim(kitchen):
    camera = open_camera("sim", kitchen.model, image_noise=0.0)
    camera.set_state(kitchen.qpos)
    yield camera
    camera.close()


def test_a_point_appears_where_calibration_and_head_pose_say(sim, kitchen):
    data = kitchen.data()
    geoms = sim.privileged_geoms()
    frame = sim.read(0.0, 0)
    seen = 0
    for thing in kitchen.objects:
        mask = np.isin(geoms, np.flatnonzero(kitchen.model.geom_bodyid == thing.body))
        if mask.sum() < 50 or thing.class_name not in ("ball", "fruit"):
            continue
        eye = data.site("head_left_camera_optical_frame")
        p = eye.xmat.reshape(3, 3).T @ (data.xpos[thing.body] - eye.xpos)
        pixel = (frame.K @ p)[:2] / p[2]
        np.testing.assert_allclose(np.argwhere(mask).mean(0)[::-1], pixel, atol=1.0)
        seen += 1
    if not seen:  # looks past them: turn to the ball
        pytest.fail("the ready posture shows neither ball nor fruit; this test proves nothing")


def test_depth_is_the_distance_that_a_ray_through_the_model_measures(sim, kitchen):
    frame = sim.read(0.0, 0, depth=True)
    assert frame.depth.dtype == np.float32
    data = kitchen.data()
    eye = data.site("head_left_camera_optical_frame")
    hit = np.zeros(1, np.int32)
    off = []
    for v in range(10, 240, 40):
        for u in range(10, 424, 50):
            ray = np.linalg.solve(frame.K, (u, v, 1.0))
            direction = eye.xmat.reshape(3, 3) @ ray
            groups = np.array([1, 1, 1, 0, 0, 0], np.uint8)
            head = kitchen.model.body("head").id
            t = mujoco.mj_ray(kitchen.model, data, eye.xpos, direction, groups, 1, head, hit)
            if t > 0:
                off.append(abs(frame.depth[v, u] - t))
    assert len(off) > 30
    assert np.median(off) < 0.002


def test_left_and_right_differ_by_the_disparity_of_the_depth(sim):
    frame = sim.read(0.0, 0, depth=True)
    assert frame.baseline == pytest.approx(BASELINE)
    disparity = frame.K[0, 0] * frame.baseline / np.maximum(frame.depth, 0.1)
    u, v = np.meshgrid(np.arange(424, dtype=np.float32), np.arange(240, dtype=np.float32))
    back = cv2.remap(frame.right, u - disparity.astype(np.float32), v, cv2.INTER_LINEAR)
    near = (frame.depth > 0.3) & (frame.depth < 1.2) & (u > 90)
    agree = np.abs(back.astype(int) - frame.left).mean(2)[near]
    shifted = np.abs(frame.right.astype(int) - frame.left).mean(2)[near]
    assert np.median(agree) < 4.0 < np.median(shifted)


def test_geoms_that_are_left_out_are_in_no_picture(kitchen):
    sim = open_camera("sim", kitchen.model, width=128, height=96, image_noise=0.0)
    model, qpos, rng = kitchen.model, kitchen.qpos.copy(), np.random.default_rng(3)
    joints = [model.joint(name).qposadr[0] for name in BODY.joints]
    bounds, groups = model.geom_rbound.copy(), model.geom_group.copy()
    for _ in range(8):
        qpos[joints] = kitchen.qpos[joints] + rng.uniform(-0.5, 0.5, len(joints))
        sim.set_state(qpos)
        drawn = sim.read(0.0, 0)
        few = sim._renderer._scene.ngeom
        model.geom_rbound[:] = 100.0  # m: everything may be in view
        try:
            full = sim.read(0.0, 0)
        finally:
            model.geom_rbound[:] = bounds
        assert few < sim._renderer._scene.ngeom
        np.testing.assert_array_equal(drawn.left, full.left)
        np.testing.assert_array_equal(drawn.right, full.right)
    np.testing.assert_array_equal(model.geom_group, groups)
    sim.close()


def test_a_small_picture_changes_no_other_picture_of_the_same_model(kitchen):
    pictures = []
    for small in (False, True):
        if small:
            open_camera("sim", kitchen.model, width=128, height=96).close()
        sim = open_camera("sim", kitchen.model, image_noise=0.0)
        sim.set_state(kitchen.qpos)
        pictures.append(sim.read(0.0, 0).left)
        sim.close()
    np.testing.assert_array_equal(*pictures)


def test_image_noise_has_the_size_asked_for_and_repeats_with_the_seed(kitchen):
    frames = []
    for noise, seed in ((0.0, 1), (5.0, 1), (5.0, 1), (5.0, 2)):
        camera = open_camera("sim", kitchen.model, image_noise=noise, seed=seed)
        camera.set_state(kitchen.qpos)
        frames.append(camera.read(0.0, 0).left.astype(int))
        camera.close()
    clean, a, again, other = frames
    middle = (clean > 30) & (clean < 225)
    assert np.std((a - clean)[middle]) == pytest.approx(5.0, rel=0.1)
    np.testing.assert_array_equal(a, again)
    assert not np.array_equal(a, other)


def test_a_wrong_state_and_a_scene_without_cameras_are_refused(sim):
    with pytest.raises(NeoError, match="`scene` and `seed`"):
        sim.set_state(np.zeros(3))
    with pytest.raises(NeoError, match="head_left"):
        open_camera("sim", mujoco.MjModel.from_xml_string("<mujoco/>"))


def test_without_gl_the_way_to_get_it_is_named(kitchen, monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    monkeypatch.setitem(__import__("sys").modules, "mujoco.osmesa", None)
    with pytest.raises(NeoError, match="apt-get install libegl1"):
        open_camera("sim", kitchen.model)
    monkeypatch.setenv("MUJOCO_GL", "vulkan")
    with pytest.raises(NeoError, match="egl, osmesa, glfw"):
        open_camera("sim", kitchen.model)


def test_unknown_backends_and_parameters_are_refused_by_name():
    with pytest.raises(NeoError, match="sim, v4l2"):
        open_camera("webcam")
    with pytest.raises(NeoError, match="gain"):
        open_camera("v4l2", gain=3)


WIDTH, HEIGHT = 320, 240


def _calibration(tmp_path, **changes):
    K = [[300.0, 0.0, 159.5], [0.0, 300.0, 119.5], [0.0, 0.0, 1.0]]
    side = {"K": K, "D": [0.0] * 5}
    rows = {
        "width": WIDTH,
        "height": HEIGHT,
        "left": side,
        "right": side,
        "R": np.eye(3).tolist(),
        "T": [-0.08, 0.0, 0.0],
    }
    file = tmp_path / "calibration.yaml"
    file.write_text(yaml.safe_dump(rows | changes))
    return str(file)


def _video(path, images):
    height, width = images[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (width, height))
    assert writer.isOpened()
    for image in images:
        writer.write(image[..., ::-1])
    writer.release()
    return str(path)


def _flat(color, width=WIDTH):
    return np.full((HEIGHT, width, 3), color, np.uint8)


def test_a_side_by_side_video_gives_pairs_until_its_end(tmp_path):
    pair = np.hstack([_flat((200, 30, 30)), _flat((30, 30, 200))])
    video = _video(tmp_path / "pair.avi", [pair] * 3)
    camera = open_camera("v4l2", device=video, calibration=_calibration(tmp_path))
    frame = camera.read(1.5, 7)
    assert (frame.time, frame.tick, frame.depth) == (1.5, 7, None)
    assert frame.left.shape == frame.right.shape == (HEIGHT, WIDTH, 3)
    np.testing.assert_allclose(frame.left[100, 100], (200, 30, 30), atol=12)
    np.testing.assert_allclose(frame.right[100, 100], (30, 30, 200), atol=12)
    assert frame.baseline == pytest.approx(0.08)
    assert camera.read(1.6, 8) is not None
    assert camera.read(1.7, 9) is not None
    assert camera.read(1.8, 10) is None
    camera.close()


def test_two_devices_make_a_pair(tmp_path):
    left = _video(tmp_path / "left.avi", [_flat((10, 180, 10))])
    right = _video(tmp_path / "right.avi", [_flat((180, 180, 10))])
    camera = open_camera("v4l2", device=left, right_device=right, calibration=_calibration(tmp_path))
    frame = camera.read(0.0, 0)
    np.testing.assert_allclose(frame.left[10, 10], (10, 180, 10), atol=12)
    np.testing.assert_allclose(frame.right[10, 10], (180, 180, 10), atol=12)
    camera.close()


def test_a_missing_device_is_named_with_those_that_are_there(tmp_path):
    with pytest.raises(NeoError, match=r"/dev/video77.*present: "):
        open_camera("v4l2", device="/dev/video77", calibration=_calibration(tmp_path))


def test_a_video_of_another_size_and_no_video_at_all_are_refused(tmp_path):
    video = _video(tmp_path / "single.avi", [_flat((0, 0, 0))])
    with pytest.raises(NeoError, match="gives 320x240 px, the calibration needs 640x240"):
        open_camera("v4l2", device=video, calibration=_calibration(tmp_path))
    text = tmp_path / "notes.txt"
    text.write_text("no video")
    with pytest.raises(NeoError, match="cannot be opened"):
        open_camera("v4l2", device=str(text), calibration=_calibration(tmp_path))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"T": [0.08, 0.0, 0.0]}, r"T\[0\] is 0.08"),
        ({"R": [[2, 0, 0], [0, 1, 0], [0, 0, 1]]}, "R is no rotation"),
        ({"left": {"K": [[1, 2], [3, 4]]}}, r"left.K has shape \(2, 2\)"),
        ({"right": {}}, "right.K is missing"),
        ({"width": "wide"}, "width is 'wide'"),
    ],
)
def test_a_wrong_calibration_is_refused_by_the_name_of_its_fault(tmp_path, changes, complaint):
    with pytest.raises(NeoError, match=complaint):
        open_camera("v4l2", device="x.avi", calibration=_calibration(tmp_path, **changes))


def test_no_calibration_says_where_to_read_about_it():
    with pytest.raises(NeoError, match=r"docs/how-to/real-camera\.md"):
        open_camera("v4l2", device="/dev/video0")


def test_calibration_gives_the_rectified_baseline(tmp_path):
    from pathlib import Path

    turned = cv2.Rodrigues(np.array([0.0, 0.02, 0.01]))[0].tolist()
    left, right = calibration.load(Path(_calibration(tmp_path, R=turned)))
    assert -right.P[0, 3] / right.P[0, 0] == pytest.approx(0.08, rel=1e-6)
    np.testing.assert_allclose(left.P[:, :3], right.P[:, :3])
    assert not np.allclose(left.R, np.eye(3))
