"""``neo calibrate hand``: it writes a file that a controller can load, or says in one line why not."""

import functools

import numpy as np
import pytest

from neo_bringup import cli
from neo_bringup.commands import calibrate
from neo_description.scenes import make
from neo_description.tables import TAXELS
from neo_hand_control import calibrator
from neo_hand_control.calibration import Calibration
from neo_hand_control.calibrator import HandCalibrator
from neo_sim.plant import Plant


@pytest.fixture
def short(monkeypatch):
    """Few self-touches instead of all, and a short rest."""
    monkeypatch.setattr(calibrator, "REST", 0.5)
    monkeypatch.setattr(calibrator, "SWEEPS", 1)

    def touches(*pairs):
        monkeypatch.setattr(calibrate, "HandCalibrator", functools.partial(HandCalibrator, pairs=pairs))

    return touches


def test_it_writes_what_it_found_and_shows_its_progress(short, tmp_path, capsys):
    short(3)
    file = tmp_path / "l.yaml"
    words = ["calibrate", "hand", "--side", "l", "--sim", "rig", "--seed", "4", "--dead", "l_index_distal"]
    assert cli.main([*words, "--out", str(file)]) == 0
    told, progress = capsys.readouterr()
    assert "left hand: simulated rig, seed 4" in told
    assert "little_distal presses thumb_distal" in progress
    assert "index_distal            broken  dead" in told
    calibration = Calibration.load(file, "l")
    assert calibration.source == "simulated rig, seed 4"
    assert calibration.pads[TAXELS.index("little_distal")].measured
    assert not calibration.apply(np.zeros((19, 3)), np.ones(19, bool))[1][TAXELS.index("index_distal")]


def test_by_default_it_calibrates_the_robot_that_neo_up_simulates_with_this_seed(short, tmp_path):
    short(3)
    file = tmp_path / "r.yaml"
    assert cli.main(["calibrate", "hand", "--seed", "7", "--out", str(file)]) == 0
    little = TAXELS.index("little_distal")
    truth = Plant(make("kitchen_table", 0), seed=7).pads("r").privileged_gain[little]
    assert Calibration.load(file, "r").gain[little] == pytest.approx(truth, rel=0.06)
    others = [Plant(make("empty", 0), seed=s).pads("r").privileged_gain[little] for s in range(4)]
    assert max(abs(other / truth - 1.0) for other in others) > 0.03  # another robot's would not do


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--side", "x"], "no hand 'x'; one of l, r"),
        (["--out", "/proc/nowhere/r.yaml"], "cannot write /proc/nowhere/r.yaml"),
        (["--dead", "r_toe", "--sim", "rig"], "no pad r_toe; one of"),
        (
            ["--live", "--side", "l", "--timeout", "0.5"],
            "nobody serves /l_hand/calibrate; start one with `neo up`",
        ),
    ],
)
def test_what_it_cannot_do_is_one_line(words, message, ros_domain, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["calibrate", "hand", *words]) == 2
    told = capfd.readouterr().err
    assert message in told
    assert len(told.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_hand_in_runstop_is_not_calibrated(tmp_path, monkeypatch, capsys):
    real = calibrate.Rig

    def stopped(*args):
        hand = real(*args)
        hand.rig.drives().latch(True)
        return hand

    monkeypatch.setattr(calibrate, "Rig", stopped)
    assert cli.main(["calibrate", "hand", "--sim", "rig", "--out", str(tmp_path / "r.yaml")]) == 2
    assert "the hand is in runstop" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
