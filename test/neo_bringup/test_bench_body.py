"""The body bench's own logic: parts, targets, poses, and one short run."""

import numpy as np

from neo_body_control.settings import load_parameters
from neo_body_control.tendon_calibration import TendonCalibration
from neo_bringup.bench import body, harness
from neo_bringup.bench.harness import Request
from neo_bringup.body_bench import lab, reaching, tendons, walk
from neo_description.tables import BODY


def request(tmp_path, quick=True):
    return Request("body", (0, 1), quick, "empty", "", tmp_path)


def test_parts_name_their_room_and_every_tendon_is_cut_once_in_sixteen_robots(tmp_path):
    parts = body.parts(request(tmp_path))
    assert len(parts) == len(set(parts))
    assert {part.split("/")[1] for part in parts} == set(body.ROOMS)
    cut = [t for seed in range(tendons.GROUPS) for t in BODY.tendons[seed % tendons.GROUPS :: tendons.GROUPS]]
    assert sorted(cut) == sorted(BODY.tendons)


def test_poses_are_in_front_and_the_same_for_a_seed():
    first, again = reaching.poses(3), reaching.poses(3)
    assert len(first) == reaching.POSES
    for (side, T), (_, same) in zip(first, again, strict=True):
        np.testing.assert_array_equal(T, same)
        assert 0.25 < T[0, 3] < 0.6
        assert -0.05 < T[1, 3] * (1 if side == "l" else -1) < 0.45


def test_figures_of_samples_have_targets_and_a_tension_out_of_its_limits_is_counted():
    quiet = {"fell": False, "drift": 0.001, "tilt_error": 0.001, "ticks": 1000, "outside": 1, "refused": 0}
    figures = {
        f.id: f for f in body.figures({"0/balance/quiet": quiet, "1/balance/quiet": quiet | {"fell": True}})
    }
    assert figures["body.quiet_falls"].value == 1
    assert figures["body.quiet_drift_mm"].value == 1.0
    assert figures["body.tensions_inside"].value == 0.999
    assert set(figures) <= set(harness.known_targets("body"))


def test_robots_can_be_as_stiff_all_the_time_as_pushes_make_them():
    stiff = load_parameters().cocontraction_stiff
    assert load_parameters(cocontraction=stiff).cocontraction == stiff > 0.0


def test_two_robots_do_not_share_their_errors():
    one, other = lab.Robot(0), lab.Robot(1)
    masses = one.plant.model.body_mass.copy()
    assert not np.array_equal(masses, other.plant.model.body_mass)
    other.plant.reset(2)
    np.testing.assert_array_equal(one.plant.model.body_mass, masses)


def test_it_stands_and_keeps_what_it_measured():
    robot = lab.Robot(0).stand()
    assert not robot.fell
    assert len(robot.cpu) == robot.ticks > 1000
    assert robot.sample() == {"ticks": robot.ticks, "outside": 0, "refused": 0}


def test_a_robot_that_walks_has_found_out_about_its_tendons_once_for_all_parts(tmp_path, monkeypatch):
    asked = []

    def found(plant, calibrator, say):
        asked.append(plant)
        return TendonCalibration(0.008, 0.01, np.full(62, 20000.0), np.full(62, 1.03))

    monkeypatch.setattr(walk, "calibrate", found)
    monkeypatch.setattr(
        walk, "walk", lambda robot, velocity, seconds: {"arm": robot.body.tendons.calibration.arm}
    )
    for part in ("sideways", "turning"):
        sample = walk.measure(part, 5, tmp_path / "5" / "walk" / part, lambda line: None)
        assert sample["arm"].tolist() == [1.03] * 62
    assert len(asked) == 1
