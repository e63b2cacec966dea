"""The bench of the recorder: its traffic has real sizes, its figures follow from what was measured."""

from pathlib import Path

import pytest
from rclpy.serialization import serialize_message

from neo_bringup.bench.figures import targets
from neo_bringup.flywheel_bench import recorder, stream
from neo_ros import graph

ROOT = Path(__file__).parents[2]
SAMPLES = {
    "0/kill": {"lost_s": [0.1, 0.3, 0.2], "intact": 3, "opened": 2, "kills": 3},
    "0/load": {
        "seconds": 2, "jpeg": {"cpu_share": 0.05, "dropped": 0, "sent": 10, "bytes": 4_000_000},
        "h264": {"cpu_share": 0.1, "dropped": 1, "sent": 10, "bytes": 2_000_000},
    },
    "0/graph": {"sent": {"a": 10, "b": 5}, "dropped": {"a": 1}, "cpu_s": 0.3, "ticks": 1000, "wall_s": 2.5},
    "0/mining": {"auroc": 0.95, "by_kind": {"push": 0.99, "drop": 0.8}, "n": 100,
                 "recorded": {"auroc": 0.7, "by_kind": {"push": 0.9}, "n": 10}},
    "0/faces": {"upright": 0.9, "n_upright": 40, "turned": 0.1, "n_turned": 40},
}  # fmt: skip


def test_the_stream_s_messages_are_as_large_as_the_graph_s():
    for kind in ("neo_msgs/msg/BodyState", "neo_msgs/msg/HandState"):
        real = len(serialize_message(graph.interface(kind)()))
        assert real <= stream.SIZES[kind] < real + 16
    sizes = {name: len(message) for name, message in stream.Traffic(0).at(0)}
    assert set(sizes) == set(stream.TOPICS)
    assert all(
        stream.SIZES[kind] - 8 < sizes[name] <= stream.SIZES[kind]
        for name, (kind, _) in stream.TOPICS.items()
    )
    for name, (kind, rate) in stream.TOPICS.items():
        row = graph.entry("topics", name)
        assert (row["type"], row["rate"]) == (kind, rate)


def test_the_stream_is_the_same_for_the_same_seed():
    assert list(stream.Traffic(1).at(7)) == list(stream.Traffic(1).at(7))
    assert list(stream.Traffic(1).at(7)) != list(stream.Traffic(2).at(7))


def test_figures_follow_from_samples_and_every_one_has_a_title():
    found = {figure.id: figure for figure in recorder.figures(SAMPLES)}
    assert found["flywheel.kill_lost_s_max"].value == 0.3
    assert found["flywheel.kill_opened"].value == pytest.approx(2 / 3)
    assert found["flywheel.core_dropped"].value == 1
    assert found["flywheel.graph_cpu_share"].value == pytest.approx(0.15)
    assert found["flywheel.graph_dropped"].note == "a 1"
    assert found["flywheel.mining_auroc_worst"].note == "drop"
    rows = targets(ROOT / "benchmarks" / "targets.yaml")
    assert set(found) <= set(rows)


def test_a_recorder_that_is_killed_loses_little_and_nothing_before_it(tmp_path):
    sample = recorder.measure_kills(0, tmp_path, lambda line: None, kills=3)
    assert (sample["intact"], sample["opened"]) == (3, 3)
    assert max(sample["lost_s"]) <= 1.5  # its bound is a figure of the bench; here nothing may hang


def test_the_load_loses_nothing(tmp_path):
    sample = recorder.measure_load(0, tmp_path, lambda line: None, seconds=1)
    for images in ("jpeg", "h264"):
        assert sample[images]["dropped"] == 0
        assert sample[images]["sent"] > 3000
        assert sample[images]["cpu_share"] > 0.0
