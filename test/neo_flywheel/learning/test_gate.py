"""The gate lets a copy pass and refuses what is worse, cannot run, or cannot be told apart from worse."""

import json
import shutil
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from toy import episode

from neo_bringup.flywheel_bench import toy_model as tiny
from neo_description.errors import NeoError
from neo_flywheel.learning import gate
from neo_flywheel.learning.gate import Check, compared
from neo_world_model.runtime import ACT, CARD, IMAGINE
from neo_world_model.store import Store


def quiet(line):
    pass


def never(models):
    raise AssertionError("tasks are dear: what is cheap comes first")


def changed(source, folder, graph, change):
    """The model with other numbers in ``graph``."""
    shutil.copytree(source, folder)
    model, found = onnx.load(folder / graph), 0
    for row in model.graph.initializer:
        values = numpy_helper.to_array(row).copy()
        if values.dtype == np.float32 and values.ndim:
            row.CopyFrom(numpy_helper.from_array(change(row.name, values), row.name))
            found += 1
    assert found > 4
    onnx.save(model, folder / graph)
    return folder


def test_a_copy_passes_with_a_difference_of_nothing(toy_model, held_out):
    asked = []

    def tasks(models):
        asked.extend(models)
        return [np.arange(40) % 3 > 0] * 2

    verdict = gate.judge(toy_model, toy_model, [held_out], tasks, quiet)
    assert verdict.reasons == []
    assert asked == [toy_model, toy_model]
    lines = {line.figure: line for line in verdict.lines}
    assert lines["imagined_far"].difference == 0.0
    assert lines["imagined_far"].n == 8
    assert {"act_ms", "encode_ms", "imagined_next", "sensed", "surprise", "success"} <= set(lines)


def test_a_model_that_imagines_worse_is_refused_before_any_task(toy_model, held_out, tmp_path):
    rng = np.random.default_rng(1)

    def noisier(name, values):
        return (values + values.std() * rng.standard_normal(values.shape)).astype(np.float32)

    worse = changed(toy_model, tmp_path / "worse", IMAGINE, noisier)
    verdict = gate.judge(worse, toy_model, [held_out], never, quiet)
    assert not verdict.passed
    assert any(reason.startswith("imagined_") for reason in verdict.reasons)


def test_a_model_that_gives_no_numbers_is_refused_before_it_is_replayed(toy_model, held_out, tmp_path):
    def spoil(name, values):
        return np.full_like(values, np.nan) if name == "policy.out.4.bias" else values

    spoilt = changed(toy_model, tmp_path / "nan", ACT, spoil)
    verdict = gate.judge(spoilt, toy_model, [held_out], never, quiet)
    assert verdict.lines == []
    assert "not finite" in verdict.reasons[0]


def test_a_graph_that_does_not_load_is_refused(toy_model, held_out, tmp_path):
    folder = shutil.copytree(toy_model, tmp_path / "broken")
    tiny.broken(folder / "act.onnx")
    assert gate.judge(folder, toy_model, [held_out], never, quiet).reasons[0].startswith("loads: ")


def test_a_lost_calibration_is_refused(toy_model, held_out, tmp_path):
    folder = shutil.copytree(toy_model, tmp_path / "uncalibrated")
    about = json.loads((folder / CARD).read_text())
    about["figures"]["quantiles"] = {"teleop": about["figures"]["quantiles"]["sim"]}
    (folder / CARD).write_text(json.dumps(about))
    (reason,) = gate.judge(folder, toy_model, [held_out], never, quiet).reasons
    assert "no more calibrated for sim" in reason


def test_a_model_that_fails_tasks_is_refused(toy_model, held_out):
    def tasks(models):
        return [np.arange(40) >= 20, np.arange(40) >= 4]

    verdict = gate.judge(toy_model, toy_model, [held_out], tasks, quiet)
    assert verdict.reasons[0].startswith("success is worse: 0.9 → 0.5")


@pytest.fixture
def doubtful(monkeypatch):
    """A margin that not even a copy can be shown to keep."""
    rows = gate.checks()
    impossible = replace(rows["sensed"], margin=-1.0)
    monkeypatch.setattr(gate, "checks", lambda: rows | {"sensed": impossible})


@pytest.mark.parametrize(
    ("better", "passed"), [(14, True), (1, False), (0, False)], ids=["clearly", "perhaps", "no"]
)
def test_a_doubt_is_outweighed_by_more_tasks_done(toy_model, held_out, doubtful, better, passed):
    def tasks(models):
        return [np.arange(40) < 20 + better, np.arange(40) < 20]

    verdict = gate.judge(toy_model, toy_model, [held_out], tasks, quiet)
    assert verdict.passed == passed
    said = verdict.notes if passed else verdict.reasons
    assert ["sensed may be worse" in line for line in said] == [True]
    assert [line.figure for line in verdict.lines if line.doubt] == ["sensed"]


def test_a_doubt_refuses_where_no_task_is_tried(toy_model, held_out, doubtful):
    verdict = gate.judge(toy_model, toy_model, [held_out], None, quiet)
    assert ["sensed may be worse" in reason for reason in verdict.reasons] == [True]


def test_a_policy_that_nobody_judged_does_not_pass(toy_model, tmp_path):
    store = Store.create(tmp_path / "failures")
    for seed in range(900, 906):
        failure = episode(seed, 40)
        failure.success = False
        store.add(failure)
    (reason,) = gate.judge(toy_model, toy_model, [store], None, quiet).reasons
    assert reason.startswith("nobody judged what it does")


def test_few_tasks_are_no_proof(toy_model, held_out):
    verdict = gate.judge(toy_model, toy_model, [held_out], lambda models: [np.ones(5, bool)] * 2, quiet)
    assert verdict.reasons[0].startswith("success may be worse by 0.15 or more")


def test_few_episodes_are_no_proof(toy_model, tmp_path):
    store = Store.create(tmp_path / "few")
    for seed in range(3):
        store.add(episode(seed, 40))
    reasons = gate.judge(toy_model, toy_model, [store], never, quiet).reasons
    assert "imagined_far: 3 pairs; 5 are needed" in reasons


def test_without_a_running_model_there_are_minimums(toy_model, held_out):
    done = gate.judge(toy_model, None, [held_out], lambda models: [np.ones(40, bool)], quiet)
    assert "success" not in " ".join(done.reasons)
    failed = gate.compared(gate.checks()["success"], np.zeros(40, bool), None)
    assert failed.reason.endswith("0.2 or more is wanted")


def test_nothing_to_replay_is_no_verdict(toy_model, tmp_path):
    with pytest.raises(NeoError, match="nothing to replay"):
        gate.judge(toy_model, toy_model, [Store.create(tmp_path / "empty")], None, quiet)


def check(**changes):
    row = {"better": "lower", "slack": 0.02, "margin": 0.1, "of": "running", "why": ""}
    return Check("error", **{**row, **changes})


def test_worse_by_less_than_the_slack_is_no_worse():
    running = np.linspace(1.0, 2.0, 10)
    assert compared(check(), running * 1.01, running).reason == ""
    assert compared(check(), running * 1.04, running).reason.startswith("error is worse")


def test_a_wide_interval_is_refused_although_the_mean_is_better():
    running = np.ones(8)
    candidate = running + np.array([-1.0, 1.1, -0.9, 0.9, -1.2, 0.8, -0.6, 0.7])
    line = compared(check(), candidate, running)
    assert line.difference < 0.0
    assert line.doubt.startswith("error may be worse by 0.1 or more")


def test_higher_is_better_where_the_table_says_so():
    running = np.linspace(0.5, 0.7, 10)
    assert compared(check(better="higher"), running + 0.3, running).reason == ""
    assert compared(check(better="higher"), running - 0.3, running).reason.startswith("error is worse")


def test_a_limit_holds_also_where_a_slower_model_runs():
    running = np.full(12, 80.0)
    line = compared(check(most=50.0, always=True), running, running)
    assert line.reason.endswith("50 or less is wanted")


def test_a_number_that_is_missing_is_refused():
    running = np.ones(6)
    candidate = np.array([1.0, 1.0, np.nan, 1.0, 1.0, 1.0])
    assert compared(check(), candidate, running).reason == "error: no finite number in 1 of 6"
    assert json.loads(json.dumps(gate.Verdict(lines=[compared(check(), candidate, running)]).row()))


def test_every_row_of_the_table_says_why():
    for row in gate.checks().values():
        assert len(row.why) > 30
        assert row.margin > row.slack >= 0.0
        assert row.least is not None or row.most is not None
