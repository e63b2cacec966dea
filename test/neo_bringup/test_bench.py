"""``neo bench`` with a toy benchmark: table, JSON, exit codes, resuming, targets, generated docs."""

import argparse
import json
import math
import re
import sys
import types

import pytest
import yaml

from neo_bringup.bench import harness
from neo_bringup.bench.figures import Figure, Target, holds, quantile, targets
from neo_bringup.commands import bench as command
from neo_description.errors import NeoError


class Toy(types.ModuleType):
    """Measures the square of the seed; fails at ``broken`` seeds."""

    SEEDS = (4, 2)

    def __init__(self, name="neo_bringup.bench.toy"):
        super().__init__(name)
        self.measured = []
        self.broken = ()

    def parts(self, request):
        return [str(seed) for seed in request.seeds]

    def measure(self, part, request, progress):
        if int(part) in self.broken:
            raise NeoError(f"seed {part} broke")
        self.measured.append(int(part))
        return {"square": int(part) ** 2}

    def figures(self, samples):
        values = [s["square"] for s in samples.values()]
        n = len(values)
        return [Figure("toy.max", max(values), n), Figure("toy.mean", sum(values) / n, n)]


@pytest.fixture
def toy(tmp_path, monkeypatch):
    module = Toy()
    monkeypatch.setitem(sys.modules, "neo_bringup.bench.toy", module)
    monkeypatch.setattr(harness, "benchmarks", lambda: ["toy"])
    monkeypatch.setattr(harness, "ROOT", tmp_path)
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(command, "CACHE", tmp_path / "cache")
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    (tmp_path / "docs").mkdir()
    rows = {"toy.max": {"title": "greatest square", "unit": "m", "compare": "<=", "target": 9},
            "toy.mean": {"title": "mean square"},
            "other.x": {"title": "not ours", "compare": "==", "target": 0}}  # fmt: skip
    (tmp_path / "benchmarks" / "targets.yaml").write_text(yaml.safe_dump(rows))
    return module


def neo_bench(*words):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


def test_a_met_target_gives_a_plain_table_json_and_exit_0(toy, tmp_path, capsys):
    assert neo_bench("toy", "--json", str(tmp_path / "a.json")) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["figure", "target", "measured", "n", "ok"]
    assert table[1].split() == ["toy.max", "<=", "9", "m", "9", "m", "4", "yes"]
    assert table[2].split() == ["toy.mean", "–", "3.5", "4", "–"]
    assert not any("\x1b" in line for line in table)
    written = json.loads((tmp_path / "a.json").read_text())
    assert written["figures"]["toy.max"] == {
        "value": 9,
        "unit": "m",
        "target": 9,
        "ok": True,
        "n": 4,
        "compare": "<=",
    }
    assert set(written) >= {"figures", "machine", "commit", "seeds", "date", "load_average"}
    assert written["seeds"] == [0, 1, 2, 3]


def test_a_missed_target_gives_exit_1_and_says_no(toy, capsys):
    assert neo_bench("toy", "--first-seed", "3", "--seeds", "2") == 1
    assert re.search(r"toy.max\s+<= 9 m\s+16 m\s+2\s+NO", capsys.readouterr().out)


def test_quick_takes_fewer_seeds(toy):
    neo_bench("toy", "--quick")
    assert toy.measured == [0, 1]


def test_an_interrupted_run_is_resumed_and_other_settings_are_not(toy):
    toy.broken = (2,)
    with pytest.raises(NeoError, match="seed 2 broke"):
        neo_bench("toy")
    toy.broken = ()
    assert neo_bench("toy", "--resume") == 0
    assert toy.measured == [0, 1, 2, 3]
    neo_bench("toy", "--resume", "--scene", "empty")
    assert toy.measured == [0, 1, 2, 3] * 2


def test_what_is_kept_in_a_file_is_gone_on_from_and_tells_its_commits(toy, tmp_path, monkeypatch):
    kept, out = str(tmp_path / "kept.json"), tmp_path / "a.json"
    monkeypatch.setattr(harness, "commit", lambda: "first")
    neo_bench("toy", "--seeds", "1", "--kept", kept)
    monkeypatch.setattr(harness, "commit", lambda: "second")
    neo_bench("toy", "--seeds", "2", "--kept", kept, "--json", str(out))
    assert toy.measured == [0, 1]
    assert json.loads(out.read_text())["commit"] == "first, second"


def test_only_some_parts_are_measured_and_figures_count_what_is_kept(toy, tmp_path, capsys):
    kept = str(tmp_path / "kept.json")
    neo_bench("toy", "--kept", kept, "--only", "1")
    neo_bench("toy", "--kept", kept, "--only", "3")
    assert toy.measured == [1, 3]
    assert re.search(r"toy.mean\s+–\s+5\s+2", capsys.readouterr().out)
    with pytest.raises(NeoError, match="--only 9; parts are named by 0, 1, 2, 3"):
        neo_bench("toy", "--only", "9")


def test_what_is_kept_of_one_subject_does_not_count_for_another(toy, tmp_path):
    for subject in ("ours", "theirs"):
        toy.subject = lambda subject=subject: subject
        neo_bench("toy", "--seeds", "1", "--kept", str(tmp_path / "kept.json"))
    assert toy.measured == [0, 0]


def test_without_resume_everything_is_measured_again(toy):
    neo_bench("toy")
    neo_bench("toy")
    assert toy.measured == [0, 1, 2, 3] * 2


def test_what_cannot_run_is_refused_with_what_there_is(toy):
    with pytest.raises(NeoError, match="no benchmark 'toys'; one of toy, or docs"):
        neo_bench("toys")
    with pytest.raises(NeoError, match="--seeds 0; at least 1"):
        neo_bench("toy", "--seeds", "0")


@pytest.mark.parametrize(
    ("value", "n", "ok"), [(9.0, 1, True), (9.1, 1, False), (math.nan, 1, False), (1.0, 0, False)]
)
def test_a_target_holds_only_for_a_measured_number(value, n, ok):
    assert holds(Figure("a", value, n), Target("a", "", "", "<=", 9.0)) is ok


def test_a_figure_that_nobody_measured_counts_as_missed(toy):
    results = harness.Results(harness.Request("toy", (0,), False, "", "", harness.CACHE))
    table = harness.rows(results, harness.known_targets("toy"))
    assert harness.exit_code(table) == 1
    assert harness.as_json(results, table)["figures"]["toy.max"]["value"] is None


def test_the_docs_are_made_of_the_results(toy, tmp_path):
    neo_bench("toy", "--json", str(tmp_path / "benchmarks" / "results" / "toy.json"))
    assert neo_bench("docs") == 0
    text = (tmp_path / "docs" / "benchmarks.md").read_text()
    assert "| `toy.max` | greatest square | <= 9 m | 9 m | 4 | yes |" in text


def test_broken_results_and_targets_are_refused(toy, tmp_path):
    (tmp_path / "benchmarks" / "results" / "bad.json").write_text("{")
    with pytest.raises(NeoError, match=r"bad.json is no JSON"):
        neo_bench("docs")
    (tmp_path / "t.yaml").write_text("a.b: {title: t, compare: '~', target: 1}")
    with pytest.raises(NeoError, match=r"a.b: compare '~'"):
        targets(tmp_path / "t.yaml")


def test_our_own_targets_are_readable_and_every_benchmark_has_some():
    rows = targets(harness.ROOT / "benchmarks" / "targets.yaml")
    assert {figure.split(".")[0].replace("_", "-") for figure in rows} == set(harness.benchmarks())
    assert all(row.title for row in rows.values())


def test_quantiles_interpolate():
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([0.0, 10.0], 0.99) == pytest.approx(9.9)
    assert math.isnan(quantile([], 0.5))
