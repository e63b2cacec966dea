"""`neo update install`, a real process, is killed by SIGKILL; what a fresh process then comes up on."""

import shutil

import pytest

from neo_bringup.flywheel_bench import update
from neo_bringup.flywheel_bench.update_lab import NEW


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    lab = update.Lab.create(tmp_path_factory.mktemp("power") / "lab", seed=8, ballast=500_000)
    home = lab.enrol()
    update.take_all(home)
    lab.publish(NEW)
    return lab, home


@pytest.mark.parametrize(
    ("line", "after", "rolls_back"),
    [
        ("fill slot b", 0.0, False),
        ("switched to slot b", 0.0, None),
        ("examine slot b", 0.2, True),
    ],
)
def test_killed_and_up_again_on_a_good_model(template, tmp_path, line, after, rolls_back):
    lab, home = template
    shutil.copytree(home, tmp_path / "home")
    cut = update.cut_at(lab, tmp_path / "home", line, after)
    assert cut["killed"]
    assert cut["good"], cut
    assert cut["went_through"], cut
    if rolls_back is not None:
        assert cut["rolled_back"] == rolls_back
        assert cut["version"] == "1.0"


def test_a_bench_that_lost_a_robot_says_so():
    cut = {"phase": "switch", "line": "fill", "killed": True, "good": False, "rolled_back": True,
           "seconds": 40.0, "went_through": False}  # fmt: skip
    good = cut | {"good": True, "seconds": 3.0, "went_through": True}
    samples = {"attacks": {"attacks": {"one": "refused", "two": ""}}, "power/0": {"cuts": [cut, good]}}
    found = {figure.id: figure for figure in update.figures(samples)}
    assert found["flywheel.attacks_refused"].value == 0.5
    assert found["flywheel.attacks_refused"].note == "two"
    assert found["flywheel.power_cuts_recovered"].value == 0.5
    assert found["flywheel.rollback_s_max"].value == 40.0
    assert found["flywheel.bad_rolled_back"].n == 0
