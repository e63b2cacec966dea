"""The measure of the gate, on a toy: what is made worse is worse, what is a copy is one."""

import shutil

import numpy as np
import pytest

from neo_bringup.bench.figures import targets
from neo_bringup.bench.harness import ROOT
from neo_bringup.flywheel_bench import gate
from neo_flywheel.update.health import act_inputs
from neo_world_model.runtime import Runtime


@pytest.fixture
def bench(monkeypatch, toy_model, held_out):
    monkeypatch.setenv("NEO_MODEL", str(toy_model))
    monkeypatch.setattr(gate, "collected", lambda seed, folder, progress: held_out.folder)
    return gate


def test_worse_models_are_counted_when_refused_and_copies_when_not(bench, monkeypatch, tmp_path):
    for name, value in {"CHANGED": (gate.does_nothing,), "TRAINED": (), "GRAPHS": (), "GOOD": ()}.items():
        monkeypatch.setattr(bench, name, value)
    samples = {part: bench.measure(part, 1, tmp_path / part, lambda line: None) for part in bench.PARTS}
    found = {figure.id: (figure.value, figure.n) for figure in bench.figures(samples)}
    assert found == {"flywheel.gate_refused": (1, 1), "flywheel.gate_false_alarms": (0, 1)}
    assert set(found) <= set(targets(ROOT / "benchmarks" / "targets.yaml"))


def test_ten_ways_to_be_worse_are_measured():
    assert len(gate.names("worse")) == len(set(gate.names("worse"))) == 10


def test_a_model_that_passed_though_worse_is_named():
    row = {"passed": True, "reasons": []}
    figures = gate.figures({"1/gate/worse": {"worse": {"blind": row, "deaf": {**row, "passed": False}}}})
    assert (figures[0].value, figures[0].n, figures[0].note) == (1, 2, "blind")


def test_the_slow_graph_answers_as_the_quick_one(toy_model, tmp_path):
    folder = shutil.copytree(toy_model, tmp_path / "slow")
    gate.slow(folder)
    quick, slow = Runtime(toy_model, 1), Runtime(folder, 1)
    for a, b in zip(quick.act(*act_inputs(quick)), slow.act(*act_inputs(slow)), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
