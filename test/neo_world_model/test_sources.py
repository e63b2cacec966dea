"""Other formats become episodes: pictures at ten a second, words, and nothing that is not known."""

import io
import json
import tarfile

import av
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from toy import episode as toy_episode

from neo_description.errors import NeoError
from neo_world_model.modalities import shapes
from neo_world_model.sources import read


def film(file, seconds=2.0, fps=30, shade=lambda t: 100 * t, form="mp4"):
    """An encoded film whose grey says its time."""
    with av.open(file, "w", format=form) as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for i in range(round(seconds * fps)):
            image = np.full((120, 160, 3), np.clip(shade(i / fps), 0, 255), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


def grey(episode):
    return episode.fields["vision"].astype(float).mean(axis=(1, 2, 3, 4))


@pytest.mark.parametrize("fps", [10, 25, 30])
def test_a_video_of_any_rate_gives_ten_pictures_a_second(tmp_path, fps):
    film(str(tmp_path / "a.mp4"), 2.0, fps)
    (found,) = read("video", tmp_path, "web_video")
    assert found.source == "web_video"
    assert set(found.fields) == {"vision"}
    assert abs(len(found) - 20) <= 1
    np.testing.assert_allclose(grey(found), 10.0 * np.arange(len(found)), atol=6.0)


def test_a_cut_begins_another_episode(tmp_path):
    film(str(tmp_path / "a.mp4"), 4.0, 20, lambda t: 20 if t < 2.0 else 220)
    first, second = read("video", tmp_path, "web_video")
    assert max(grey(first)) < 40.0 < 200.0 < min(grey(second))


def test_what_is_no_video_is_refused(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no film")
    with pytest.raises(NeoError, match=r"a\.mp4"):
        list(read("video", tmp_path, "web_video"))
    with pytest.raises(NeoError, match="video, egodex, lerobot, webdataset"):
        list(read("vhs", tmp_path, "web_video"))
    with pytest.raises(NeoError, match="does not exist"):
        list(read("video", tmp_path / "b", "web_video"))


def egodex(folder, **without):
    film(str(folder / "0.mp4"))
    with h5py.File(folder / "0.hdf5", "w") as data:
        data.attrs["llm_description"] = "fold a towel"
        data.attrs["llm_description2"] = "unfold a towel"
        data.attrs["which_llm_description"] = "2"
        for name in ("leftHand", "rightHand", "camera"):
            if name not in without:
                data[f"transforms/{name}"] = np.tile(np.eye(4, dtype=np.float32), (60, 1, 1))


def test_egodex_gives_pictures_and_the_words_that_were_said_to_hold(tmp_path):
    egodex(tmp_path)
    (found,) = read("egodex", tmp_path, "human_video")
    assert found.prompt == "unfold a towel"
    assert 19 <= len(found) <= 21


def test_a_file_of_another_layout_is_named_with_what_it_lacks(tmp_path):
    egodex(tmp_path, leftHand=True)
    with pytest.raises(NeoError, match="leftHand"):
        list(read("egodex", tmp_path, "human_video"))


def lerobot(folder, fps=20, extra=None):
    """Two episodes of 2 s and 1.5 s in one file and one film, as LeRobot 3 lays them out."""
    lengths = (40, 30)
    rows = {"episode_index": [], "frame_index": [], "timestamp": [], "task_index": []}
    for number, length in enumerate(lengths):
        rows["episode_index"] += [number] * length
        rows["frame_index"] += list(range(length))
        rows["timestamp"] += [i / fps for i in range(length)]
        rows["task_index"] += [number] * length
    for part in ("meta/episodes/chunk-000", "data/chunk-000", "videos/observation.image/chunk-000"):
        (folder / part).mkdir(parents=True)
    pq.write_table(pa.table({**rows, **(extra or {})}), folder / "data/chunk-000/file-000.parquet")
    film(str(folder / "videos/observation.image/chunk-000/file-000.mp4"), 3.5, fps, lambda t: 60 * t)
    key = "videos/observation.image"
    episodes = [
        {"episode_index": i, "data/chunk_index": 0, "data/file_index": 0, f"{key}/chunk_index": 0,
         f"{key}/file_index": 0, f"{key}/from_timestamp": begin, f"{key}/to_timestamp": end}
        for i, (begin, end) in enumerate(((0.0, 2.0), (2.0, 3.5)))
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(episodes), folder / "meta/episodes/chunk-000/file-000.parquet")
    tasks = [{"task_index": 0, "task": "push the T"}, {"task_index": 1, "task": "wait"}]
    pq.write_table(pa.Table.from_pylist(tasks), folder / "meta/tasks.parquet")
    info = {
        "codebase_version": "v3.0", "fps": fps, "features": {"observation.image": {"dtype": "video"}},
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
    }  # fmt: skip
    (folder / "meta/info.json").write_text(json.dumps(info))


def test_lerobot_episodes_are_cut_out_of_their_common_film(tmp_path):
    lerobot(tmp_path)
    first, second = read("lerobot", tmp_path, "teleop")
    assert (len(first), len(second)) == (20, 15)
    assert (first.prompt, second.prompt) == ("push the T", "wait")
    np.testing.assert_allclose(grey(first), 6.0 * np.arange(20), atol=5.0)
    np.testing.assert_allclose(grey(second), 120.0 + 6.0 * np.arange(15), atol=5.0)
    assert set(first.fields) == {"vision"}


def test_our_own_robots_senses_come_back_out_of_lerobot(tmp_path):
    made = toy_episode(0, 70)
    extra = {
        f"neo.{name}": [row.ravel().tolist() for row in made.fields[name]] for name in ("proprio", "action")
    }
    lerobot(tmp_path, extra=extra)
    first, _ = read("lerobot", tmp_path, "teleop")
    np.testing.assert_array_equal(first.fields["proprio"], made.fields["proprio"][0:40:2])
    assert first.fields["action"].shape == (20, *shapes()["action"][0])


def test_an_older_lerobot_dataset_is_refused_with_its_version(tmp_path):
    lerobot(tmp_path)
    info = json.loads((tmp_path / "meta/info.json").read_text())
    (tmp_path / "meta/info.json").write_text(json.dumps(info | {"codebase_version": "v2.1"}))
    with pytest.raises(NeoError, match=r"v2\.1"):
        list(read("lerobot", tmp_path, "teleop"))


def test_webdataset_shards_give_films_with_their_words(tmp_path):
    film(str(tmp_path / "a.mp4"))
    content = (tmp_path / "a.mp4").read_bytes()
    with tarfile.open(tmp_path / "shard-000.tar", "w") as tar:
        for name, data in (
            ("one/000.mp4", content), ("one/000.txt", b"a person waves\n"), ("one/001.jpg", b"no film"),
            ("one/002.mp4", content), ("one/002.json", b'{"caption": "a dog runs"}'),
        ):  # fmt: skip
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    found = list(read("webdataset", tmp_path, "web_video"))
    assert [e.prompt for e in found] == ["a person waves", "a dog runs"]
    assert all(19 <= len(e) <= 21 for e in found)
