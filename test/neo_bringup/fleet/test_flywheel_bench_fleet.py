"""The measure of a fleet at a small size, with toy models."""

import fleet_stand_ins as stand_ins
import pytest

from neo_bringup.bench import flywheel
from neo_bringup.bench.figures import targets
from neo_bringup.bench.harness import ROOT, Request
from neo_bringup.flywheel_bench import fleet


@pytest.fixture
def small(monkeypatch, toy):
    given = {
        "ROBOTS": 2, "PROMPTS": 2, "TRIALS": 6, "SHARE": 0.5, "ACT": stand_ins.ACT, "TRIAL": stand_ins.TRIAL,
        "LEARN": stand_ins.learn,
    }  # fmt: skip
    for name, value in given.items():
        monkeypatch.setattr(fleet, name, value)
    monkeypatch.setenv("NEO_MODEL", str(toy))


def test_both_parts_share_a_first_round_and_the_arms_differ_in_what_leaves(small, tmp_path):
    samples, said = {}, []
    for part in fleet.PARTS:
        samples[f"1/fleet/{part}"] = fleet.measure(part, 1, tmp_path / "fleet" / part, said.append)
    assert len([line for line in said if line == "round 1: learns from 2 episodes"]) == 1
    found = {figure.id: figure for figure in fleet.figures(samples)}
    assert set(found) <= set(targets(ROOT / "benchmarks" / "targets.yaml"))
    assert found["flywheel.fleet_robots"].value == 2
    gain = found["flywheel.fleet_after"].value - found["flywheel.fleet_before"].value
    assert found["flywheel.fleet_gain"].value == pytest.approx(gain)
    assert found["flywheel.fleet_gain_low"].value <= gain
    assert found["flywheel.fleet_silent_bytes"].value == 0
    assert found["flywheel.mined_volume"].value == pytest.approx(1.0)
    mined = samples["1/fleet/mined"]
    assert found["flywheel.mined_learned"].n == len(mined["random"]["learned"]) == 6
    assert 0 < mined["mined"]["steps"] < samples["1/fleet/rounds"]["all"]["steps"]


def test_a_quick_run_leaves_the_fleet_out(tmp_path):
    def asked(quick):
        return flywheel.parts(Request("flywheel", (1,), quick, "", "", tmp_path))

    assert {"1/fleet/rounds", "1/fleet/mined"} <= set(asked(quick=False))
    quick = asked(quick=True)
    assert quick
    assert not [part for part in quick if "fleet" in part]
