"""``neo bench thesis``: five ways of training on the same data, compared seed by seed."""

import sys
from pathlib import Path

import numpy as np
import pytest

from neo_bringup.bench import thesis
from neo_bringup.bench.harness import Request
from neo_description.errors import NeoError
from neo_world_model.store import Store

sys.path.append(str(Path(__file__).parents[1] / "neo_world_model"))
from toy import episode


@pytest.fixture
def request_(tmp_path, monkeypatch):
    for name, first in (("NEO_DATA", 0), ("NEO_VIDEO", 100)):
        store = Store.create(tmp_path / name)
        for i in range(10):
            store.add(episode(first + i, 30))
        monkeypatch.setenv(name, str(store.folder))
    monkeypatch.setattr(thesis, "RECIPE", "ci")
    monkeypatch.setattr(thesis, "STEPS", {True: 2, False: 2})
    monkeypatch.setattr(thesis, "BATCHES", 1)
    return Request("thesis", (0,), True, "kitchen_table", "", tmp_path / "out")


def test_every_arm_trains_and_is_compared_with_the_first(request_):
    assert thesis.parts(request_) == [f"{arm}/0" for arm in thesis.ARMS]
    said = []
    samples = {part: thesis.measure(part, request_, said.append) for part in ("D/0", "E/0")}
    assert all({"error_ratio_8", "grip_rmse_n"} <= set(sample) for sample in samples.values())
    assert len(said) == 2
    films = Store(request_.folder / "video")
    assert all(set(e["rows"]) == {"vision", "provenance"} for e in films.episodes)


def test_arms_see_as_much_as_was_registered():
    for arm in thesis.ARMS:
        share = sum(phase["share"] for phase in thesis.phases(arm))
        assert share == pytest.approx(thesis.ROBOT if arm == "C" else 1.0)
        robot = 0.0
        for phase in thesis.phases(arm):
            mix = dict(row.split("=") for row in phase["mix"])
            robot += phase["share"] * float(mix.get("sim", 0)) / sum(map(float, mix.values()))
        assert robot == pytest.approx(1.0 if arm == "C+" else thesis.ROBOT)


def test_figures_say_who_is_better_and_how_sure_that_is():
    rows = {"A": 0.4, "B": 0.5, "E": 0.4}
    samples = {
        f"{arm}/{seed}": {name: rows.get(arm, 0.6) + 0.01 * seed for name in thesis.MEASURED}
        for arm in thesis.ARMS
        for seed in range(5)
    }
    found = {figure.id: figure for figure in thesis.figures(samples)}
    assert found["thesis.A.error_ratio_8"].value == pytest.approx(0.42)
    assert found["thesis.A_over_B.error_ratio_8"].value == pytest.approx(0.1)  # less error is better
    assert found["thesis.A_over_B.auc_slips"].value == pytest.approx(-0.1)  # more is better
    assert found["thesis.A_over_E.gripper_cm"].value == pytest.approx(0.0)
    low, high = thesis.bootstrap(np.array([0.1, 0.2, 0.3, 0.4, 0.5]))
    assert 0.1 < low < 0.3 < high < 0.5


def test_without_data_it_says_what_it_needs(request_, monkeypatch):
    monkeypatch.delenv("NEO_VIDEO")
    with pytest.raises(NeoError, match="NEO_DATA and NEO_VIDEO"):
        thesis.measure("A/0", request_, print)
