"""``neo bench shadow``: its environment, its worker's failures, and its figures of made-up trials."""

import math
import sys
from pathlib import Path

import pytest

from neo_bringup.bench import shadow
from neo_bringup.bench.harness import Request, known_targets
from neo_description.errors import NeoError


def trial(seed, held=True, peak=4.0, **more):
    block = {"friction": 0.5}
    return {"seed": seed, "held": held, "block": block} | (
        {"peak": peak, "moved": 0.002, "friction_felt": 0.6} if held else {}
    ) | more  # fmt: skip


def test_a_requirement_that_cannot_be_installed_is_named(tmp_path):
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("./no-such-package\n")
    with pytest.raises(NeoError, match=r"could not install requirements\.txt.*no-such-package"):
        shadow.environment(tmp_path / "venv", lambda line: None, requirements)
    assert not (tmp_path / "venv" / "made_of.txt").exists()  # the next run tries again


def test_the_environment_is_kept_until_its_requirements_change(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(shadow, "_call", lambda words, what: calls.append(words))
    requirements, venv = tmp_path / "requirements.txt", tmp_path / "venv"
    requirements.write_text("one==1\n")
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").touch()
    shadow.environment(venv, lambda line: None, requirements)
    made = len(calls)
    assert made == 2  # the environment and its packages
    shadow.environment(venv, lambda line: None, requirements)
    assert len(calls) == made
    requirements.write_text("one==2\n")
    shadow.environment(venv, lambda line: None, requirements)
    assert len(calls) == 2 * made


def test_what_the_worker_says_last_is_in_the_error(tmp_path):
    with pytest.raises(NeoError, match="invalid choice: 'nonsense'"):
        list(shadow.run(Path(sys.executable), ["nonsense", "1"], tmp_path / "log"))


def test_every_way_is_measured_and_seeds_for_tuning_are_left_alone(tmp_path, monkeypatch):
    asked = []

    def worker(python, arguments, log):
        asked.append(arguments)
        return iter([trial(int(seed)) for seed in arguments[1:]])

    monkeypatch.setattr(shadow, "environment", lambda folder, progress: folder)
    monkeypatch.setattr(shadow, "run", worker)
    request = Request("shadow", tuple(range(4)), True, "", "", tmp_path)
    for part in shadow.parts(request):
        shadow.measure(part, request, lambda line: None)
    assert [arguments[0] for arguments in asked] == [*shadow.WAYS, "least"]
    assert asked[0][1:] == ["1000", "1001", "1002", "1003"]
    assert asked[-1][1:] == ["1000", "1001"]


def test_figures_count_the_lost_and_measure_the_held():
    trials = [trial(0, peak=4.0), trial(1, peak=6.0), trial(2, held=False)]
    least = [trial(0, peak=4.0, least=2.0), trial(1, peak=6.0, least=None), trial(2, held=False, least=1.0)]
    samples = {way: {"trials": trials} for way in shadow.WAYS} | {"least": {"trials": least}}
    found = {figure.id: figure for figure in shadow.figures(samples)}
    assert set(found) == set(known_targets("shadow"))
    assert found["shadow.success_touch"].value == pytest.approx(2 / 3)
    assert found["shadow.peak_touch_p50"].value == pytest.approx(5.0)
    assert found["shadow.moved_p95_mm"].value == pytest.approx(2.0)
    assert found["shadow.friction_felt_p50"].value == pytest.approx(1.2)
    assert (found["shadow.peak_over_least_p50"].value, found["shadow.peak_over_least_p50"].n) == (2.0, 1)


def test_nothing_held_gives_no_medians():
    lost = {"trials": [trial(0, held=False)]}
    found = {f.id: f for f in shadow.figures({way: lost for way in shadow.parts(None)})}
    assert found["shadow.success_touch"].value == 0.0
    assert math.isnan(found["shadow.peak_touch_p50"].value)
    assert found["shadow.peak_touch_p50"].n == 0
