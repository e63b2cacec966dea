"""The demo's score: what counts as lifted and held, and the film's size."""

import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from neo_bringup.demo.film import encode
from neo_bringup.demo.run import target_of
from neo_bringup.demo.score import PrivilegedLiftScore
from neo_description.errors import NeoError

ROOT = Path(__file__).parents[2]


def scored(heights, forces=10.0, pelvis=0.9, dt=0.02):
    score = PrivilegedLiftScore()
    for i, height in enumerate(heights):
        force = forces[i] if isinstance(forces, list) else forces
        score.add(i * dt, 0.86 + height, force, pelvis[i] if isinstance(pelvis, list) else pelvis)
    return score.result()


def ramp(top, hold):
    return [*np.linspace(0.0, top, 50), *[top] * round(hold / 0.02)]


def test_a_lift_that_is_held_to_the_end_succeeds():
    result = scored(ramp(0.16, 3.0))
    assert result.success
    assert result.lifted_m == pytest.approx(0.16)
    assert result.held_s == pytest.approx(3.7, abs=0.1)
    assert result.peak_force_n == 10.0


def test_a_toss_counts_as_no_lift():
    result = scored([0.0] * 50 + [0.3] * 10 + [0.0] * 50)
    assert not result.success
    assert result.lifted_m < 0.01


def test_an_object_that_falls_at_the_end_was_not_held():
    result = scored([*ramp(0.16, 3.0), *[0.0] * 50])
    assert not result.success
    assert result.held_s == 0.0
    assert result.lifted_m == pytest.approx(0.16)


def test_a_lift_without_grip_counts_nothing():
    assert scored(ramp(0.16, 3.0), forces=0.0).held_s == 0.0


def test_a_regrip_starts_the_hold_again():
    forces = [10.0] * 150 + [0.0] * 2 + [10.0] * 50
    assert scored([0.0] * 10 + [0.16] * 192, forces=forces).held_s == pytest.approx(0.98, abs=0.05)


def test_a_robot_that_fell_has_not_succeeded():
    heights = ramp(0.16, 3.0)
    result = scored(heights, pelvis=[0.9] * 100 + [0.3] * (len(heights) - 100))
    assert result.fallen
    assert not result.success


def test_a_silence_of_the_truth_breaks_the_hold():
    score = PrivilegedLiftScore()
    for time in (0.0, 0.1, 5.0, 5.1):
        score.add(time, 0.86 + (0.2 if time else 0.0), 5.0, 0.9)
    assert score.held == pytest.approx(0.1)


def test_the_prompt_names_one_object_of_the_scene():
    assert target_of("pick up the red bottle", "kitchen_table", 0) == "red_bottle"
    with pytest.raises(NeoError, match="fits"):
        target_of("pick up the bottle", "kitchen_table", 0)


def test_a_read_only_run_folder_or_a_bad_prompt_is_one_line_and_exit_2():
    for words, complaint in (
        (["--directory", "/proc/run"], "neo: cannot write to the folder /proc/run: "),
        (["--prompt", "flurb"], "neo: "),
        (["--scene", "moon"], "neo: no scene 'moon'; one of "),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "neo_bringup.cli", "demo", *words],
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        assert done.returncode == 2
        assert done.stderr.startswith(complaint)
        assert done.stderr.count("\n") == 1
        assert done.stdout == ""


def test_a_film_is_h264_that_every_browser_plays(tmp_path):
    images = [np.full((101, 203, 3), i * 5, np.uint8) for i in range(20)]
    size = encode(images, tmp_path / "a.mp4")
    assert 0 < size < 50_000
    with av.open(str(tmp_path / "a.mp4")) as film:
        stream = film.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        frames = [frame.to_ndarray(format="gray")[0, 0] for frame in film.decode(stream)]
    assert len(frames) == 20
    assert np.all(np.diff(np.array(frames, int)) >= 0)
