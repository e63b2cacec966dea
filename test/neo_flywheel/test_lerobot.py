"""LeRobot 3: read back with pyarrow and PyAV by the published layout, and by our own reader."""

import json
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest

from neo_description.errors import NeoError
from neo_description.tables import BODY, HAND
from neo_flywheel.store import lerobot
from neo_flywheel.store.statistics import Statistics
from neo_world_model.episode import Episode
from neo_world_model.modalities import PROVENANCE, features, part, shapes
from neo_world_model.sources import read

LENGTHS = (23, 14, 31)
PROMPTS = ("wave", "pour the tea", "wave")


def episode(seed, steps, prompt, **without):
    rng = np.random.default_rng(seed)
    fields = {}
    for name, (shape, dtype) in shapes().items():
        if name == "vision":  # smooth, as what a camera sees: a film is lossy
            grey = 20 + 60 * seed + 2 * np.arange(steps)
            fields[name] = np.broadcast_to(grey[:, None, None, None, None], (steps, *shape)).astype(np.uint8)
        elif name not in without:
            fields[name] = (rng.random((steps, *shape)) > 0.5) if dtype == "bool" else rng.normal(
                size=(steps, *shape)).astype(np.float32)  # fmt: skip
    by = np.full(steps, PROVENANCE.index("teleop"), np.int8)
    return Episode("teleop", fields, by, prompt=prompt)


@pytest.fixture(scope="module")
def episodes():
    return [episode(i, n, said) for i, (n, said) in enumerate(zip(LENGTHS, PROMPTS, strict=True))]


@pytest.fixture(scope="module")
def dataset(episodes, tmp_path_factory):
    out = tmp_path_factory.mktemp("lerobot") / "dataset"
    assert lerobot.export(iter(episodes), out) == 3
    return out


def rows(file):
    return pq.read_table(file).to_pylist()


def test_our_own_reader_gives_the_episodes_back(dataset, episodes):
    found = list(read("lerobot", dataset, "teleop"))
    assert [(len(e), e.prompt) for e in found] == list(zip(LENGTHS, PROMPTS, strict=True))
    for back, given in zip(found, episodes, strict=True):
        assert set(back.fields) == set(given.fields)
        for name in set(given.fields) - {"vision"}:
            np.testing.assert_array_equal(back.fields[name], given.fields[name])
        off = np.abs(back.fields["vision"].astype(int) - given.fields["vision"])
        assert off.max() <= 4


def test_the_layout_is_the_published_one(dataset):
    found = {str(f.relative_to(dataset)) for f in dataset.rglob("*") if f.is_file()}
    eyes = ("observation.images.head_left", "observation.images.head_right")
    assert found == {
        "meta/info.json", "meta/stats.json", "meta/tasks.parquet", "meta/episodes/chunk-000/file-000.parquet",
        "data/chunk-000/file-000.parquet", *(f"videos/{eye}/chunk-000/file-000.mp4" for eye in eyes),
    }  # fmt: skip
    info = json.loads((dataset / "meta/info.json").read_text())
    assert info["codebase_version"] == "v3.0"
    totals = (info["total_episodes"], info["total_frames"], info["total_tasks"], info["fps"])
    assert totals == (3, sum(LENGTHS), 2, 10)
    assert info["splits"] == {"train": "0:3"}
    table = pq.read_table(dataset / "data/chunk-000/file-000.parquet")
    columns = {name for name, about in info["features"].items() if about["dtype"] != "video"}
    assert set(table.column_names) == columns
    for name in columns:
        first, about = table[name][0].as_py(), info["features"][name]
        assert about["shape"] == [len(first) if isinstance(first, list) else 1]
        assert about["names"] is None or len(about["names"]) == about["shape"][0]


def test_every_frame_stands_where_the_episodes_say(dataset):
    table = pq.read_table(dataset / "data/chunk-000/file-000.parquet")
    assert table["index"].to_pylist() == list(range(sum(LENGTHS)))
    tasks = {row["task_index"]: row["task"] for row in rows(dataset / "meta/tasks.parquet")}
    assert sorted(tasks.values()) == ["pour the tea", "wave"]
    about = rows(dataset / "meta/episodes/chunk-000/file-000.parquet")
    for number, row in enumerate(about):
        part_ = table.slice(row["dataset_from_index"], row["length"])
        assert row["dataset_to_index"] - row["dataset_from_index"] == row["length"] == LENGTHS[number]
        assert set(part_["episode_index"].to_pylist()) == {number}
        assert part_["frame_index"].to_pylist() == list(range(LENGTHS[number]))
        np.testing.assert_allclose(part_["timestamp"].to_numpy(), np.arange(LENGTHS[number]) / 10, atol=1e-6)
        assert {tasks[t] for t in part_["task_index"].to_pylist()} == {PROMPTS[number]} == set(row["tasks"])


def test_every_picture_is_in_the_film_at_its_time(dataset):
    for eye in ("head_left", "head_right"):
        key = f"observation.images.{eye}"
        with av.open(str(dataset / f"videos/{key}/chunk-000/file-000.mp4")) as film:
            stream = film.streams.video[0]
            assert (stream.width, stream.height, stream.codec_context.name) == (64, 48, "h264")
            shown = {
                round(f.time, 3): float(f.to_ndarray(format="rgb24").mean()) for f in film.decode(stream)
            }
        assert len(shown) == sum(LENGTHS)
        for number, row in enumerate(rows(dataset / "meta/episodes/chunk-000/file-000.parquet")):
            begin, end = row[f"videos/{key}/from_timestamp"], row[f"videos/{key}/to_timestamp"]
            assert round((end - begin) * 10) == LENGTHS[number]
            for k in range(LENGTHS[number]):
                assert shown[round(begin + k / 10, 3)] == pytest.approx(20 + 60 * number + 2 * k, abs=4)


def test_states_and_actions_are_in_si_units_by_name(dataset, episodes):
    info = json.loads((dataset / "meta/info.json").read_text())["features"]
    names = info["observation.state"]["names"]
    assert names[0] == BODY.joints[0]
    assert names[-1] == f"r_{HAND.joints[-1]}"
    table = pq.read_table(dataset / "data/chunk-000/file-000.parquet")
    state = np.array(table["observation.state"].to_pylist())[: LENGTHS[0]]
    proprio = episodes[0].fields["proprio"]
    want = proprio[:, part("proprio", "body_joint_position")] * features("proprio")["body_joint_position"][1]
    np.testing.assert_allclose(state[:, : len(BODY.joints)], want, rtol=1e-6)
    at = info["action"]["names"].index("speed.0")
    action = np.array(table["action"].to_pylist())[: LENGTHS[0], at]
    want = episodes[0].fields["action"][:, part("action", "speed")][:, 0] * features("action")["speed"][1]
    np.testing.assert_allclose(action, want, rtol=1e-6)


def test_statistics_are_those_of_all_frames_together(dataset):
    stats = json.loads((dataset / "meta/stats.json").read_text())
    values = np.array(pq.read_table(dataset / "data/chunk-000/file-000.parquet")["action"].to_pylist())
    for what, want in (("mean", values.mean(0)), ("std", values.std(0)), ("min", values.min(0)),
                       ("max", values.max(0)), ("count", [len(values)])):  # fmt: skip
        np.testing.assert_allclose(stats["action"][what], want, rtol=1e-5, atol=1e-6)
    assert np.shape(stats["observation.images.head_left"]["mean"]) == (3, 1, 1)


def test_statistics_of_parts_put_together_are_those_of_the_whole():
    rng = np.random.default_rng(0)
    values = rng.normal(5.0, 3.0, (50, 4))
    parts, whole = Statistics(), Statistics()
    for some in np.split(values, [1, 20]):
        parts.add("x", some)
    whole.add("x", values)
    for what, want in whole.rows()["x"].items():
        np.testing.assert_allclose(parts.rows()["x"][what], want, rtol=1e-9)


def test_new_files_begin_where_one_is_full(episodes, tmp_path, monkeypatch):
    monkeypatch.setattr(lerobot, "DATA_SIZE", 0.0)
    monkeypatch.setattr(lerobot, "FILM_SIZE", 0.0)
    lerobot.export(iter(episodes), tmp_path / "out")
    assert len(list((tmp_path / "out/data").rglob("*.parquet"))) == 3
    assert len(list((tmp_path / "out/videos").rglob("*.mp4"))) == 6
    found = list(read("lerobot", tmp_path / "out", "teleop"))
    assert [len(e) for e in found] == list(LENGTHS)
    for number, back in enumerate(found):
        assert back.fields["vision"][0].mean() == pytest.approx(20 + 60 * number, abs=4)


def test_an_export_that_fails_leaves_nothing(episodes, tmp_path):
    def breaks():
        yield episodes[0]
        raise NeoError("the next one is broken")

    with pytest.raises(NeoError, match="the next one"):
        lerobot.export(breaks(), tmp_path / "out")
    with pytest.raises(NeoError, match="a dataset is of one kind"):
        lerobot.export([episodes[0], episode(5, 12, "", touch=True)], tmp_path / "out")
    with pytest.raises(NeoError, match="no episode"):
        lerobot.export([], tmp_path / "out")
    assert list(Path(tmp_path).iterdir()) == []
    (tmp_path / "out").mkdir()
    with pytest.raises(NeoError, match="is there already"):
        lerobot.export(episodes, tmp_path / "out")
