"""``neo data``: from recordings to a dataset and back, by the words a person types."""

import json
import shutil
import struct

import pytest
from rosbags.rosbag2 import Reader

from neo_bringup import cli
from neo_bringup.flywheel_bench import bags
from neo_flywheel.store.catalogue import Catalogue
from neo_world_model.store import Store


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Three recordings: whole, whole with pictures, cut off."""
    folder = tmp_path_factory.mktemp("runs")
    bags.made(
        folder / "one" / "bag", 1, states=1500, custom={"task": "wave", "namespace": "/neo2"}, cameras=True
    )
    bags.made(folder / "two" / "bag", 2, states=300, begin=bags.BEGIN + 10**12)
    bags.made(folder / "three" / "bag", 3, states=10)
    (folder / "three" / "bag" / "metadata.yaml").unlink()
    return folder


@pytest.fixture
def neo(tmp_path, capsys):
    def run(*words, code=0):
        assert cli.main(["data", *map(str, words), "--library", str(tmp_path / "library")]) == code
        return capsys.readouterr()

    return run


@pytest.fixture
def filled(neo, runs):
    neo("add", runs, "--tag", "kitchen", code=1)
    return neo


def listed(neo, *words):
    return [json.loads(line) for line in neo("list", "--json", *words).out.splitlines()]


def test_add_takes_what_is_whole_and_says_why_not_the_rest(neo, runs):
    said = neo("add", runs, code=1)
    assert "quarantined: metadata.yaml is missing" in said.out
    assert "2 new, 0 known, 1 quarantined" in said.out
    assert "… 1 of 3" in said.err
    facts = json.loads(neo("add", runs, "--json", code=1).out)
    assert facts["count"] == {"new": 0, "known": 2, "quarantined": 1}
    assert sorted(row["became"] for row in facts["recordings"]) == ["known", "known", "quarantined"]
    (row,) = listed(neo, "--quarantine")
    assert row["path"] == str(runs / "three" / "bag")


def test_list_finds_by_filters_newest_first(filled):
    assert [row["robot"] for row in listed(filled)] == ["neo1", "neo2"]
    assert [row["prompt"] for row in listed(filled, "--robot", "neo2", "--tag", "kitchen")] == ["wave"]
    assert listed(filled, "--since", "2026-01-01T12:00", "--prompt", "wave") == []
    assert listed(filled, "--autonomy", ":0.4") == []
    assert "there are more than 1" in filled("list", "--limit", "1").out
    assert "no episode matches" in filled("list", "--robot", "nobody").out


def test_show_tells_files_and_lineage(filled, tmp_path):
    with Catalogue(tmp_path / "library" / "catalogue.sqlite") as catalogue:
        catalogue.add_product("dataset", "kitchen", episodes=[1])
        catalogue.add_product("run", "first", [("dataset", "kitchen")])
    facts = json.loads(filled("show", "1", "--json").out)
    assert facts["led to"] == ["dataset:kitchen", "run:first"]
    assert set(facts["files"]) == {"bag_0.mcap", "metadata.yaml"}
    assert "dataset:kitchen" in filled("show", "run:first").out
    assert "no episode 99" in filled("show", "99", code=2).err


def png_size(file):
    data = file.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", data[16:24])


def test_plot_draws_a_recording_by_folder_and_by_number(filled, runs, tmp_path):
    filled("plot", runs / "one", "--out", tmp_path / "a.png")
    filled("plot", "1", "--out", tmp_path / "b.png")
    assert min(*png_size(tmp_path / "a.png"), *png_size(tmp_path / "b.png")) > 500
    assert "does not exist" in filled("plot", runs / "nope", code=2).err


def test_split_and_merge_by_number_and_folder(filled, runs, tmp_path):
    out = filled("split", "1", "--every", "1", "--out", tmp_path / "pieces").out.split()
    assert len(out) == 3
    filled("merge", *out, "--out", tmp_path / "whole")
    with Reader(tmp_path / "whole") as whole, Reader(runs / "one" / "bag") as given:
        assert whole.message_count == given.message_count
        assert whole.duration == given.duration


def test_recordings_go_out_as_lerobot_and_come_back_as_somebodys_data(filled, tmp_path):
    said = filled("export", "--robot", "neo2", "--out", tmp_path / "waving")
    assert "1 episodes of 1 in the library, 0 left out" in said.out
    assert json.loads(filled("show", "1", "--json").out)["led to"] == ["dataset:waving"]
    assert [row["id"] for row in listed(filled, "--dataset", "waving")] == [1]
    filled("import", "lerobot", tmp_path / "waving", "--source", "teleop", "--tag", "back")
    again = filled("import", "lerobot", tmp_path / "waving", "--source", "teleop", "--json")
    assert {**json.loads(again.out), "library": ""} == {"library": "", "episodes": 1, "new": 0}
    (row,) = listed(filled, "--kind", "lerobot")
    assert (row["prompt"], row["tags"]) == ("wave", ["back", "source:teleop"])
    filled("export", row["id"], "--format", "store", "--out", tmp_path / "store")
    filled("export", 1, "--format", "store", "--out", tmp_path / "straight")
    back, straight = Store(tmp_path / "store"), Store(tmp_path / "straight")
    assert back.steps == straight.steps >= 25
    there, here = (s.window(0, 0, s.steps) for s in (back, straight))
    for name in ("proprio", "force", "touch", "action"):
        assert there[name].tolist() == here[name].tolist()
    assert "is no recording" in filled("plot", row["id"], code=2).err


def test_what_cannot_be_read_as_steps_is_left_out_and_said(filled, tmp_path):
    said = filled("export", "--out", tmp_path / "all", code=1)
    assert "1 episodes of 1 in the library, 1 left out" in said.out
    assert "left out: episode 2 has" in said.err
    told = json.loads(filled("export", "--out", tmp_path / "again", "--json", code=1).out)
    assert (told["episodes"], told["recordings"], len(told["left_out"])) == (1, 1, 1)


def test_errors_say_what_to_do(neo, runs, tmp_path, capsys):
    assert "`neo data add` or `import` begins one" in neo("list", code=2).err
    (tmp_path / "empty").mkdir()
    assert "no recording at or under" in neo("add", tmp_path / "empty", code=2).err
    assert "does not exist" in neo("import", "video", tmp_path / "x.mp4", "--source", "web_video", code=2).err
    with pytest.raises(SystemExit):
        cli.main(["data", "list", "--since", "yesterday"])
    assert "'yesterday'; a time as 2026-11-21T14:00, or 90m, 12h, 7d ago" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["list", "show", "plot", "split", "merge", "add", "export", "import"])
def test_every_subcommand_has_help_and_stands_in_the_reference(what, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["data", what, "--help"])
    assert ended.value.code == 0
    assert f"neo data {what}" in capsys.readouterr().out
    assert f"`neo data {what}" in (cli.COMMANDS.parents[1] / "docs" / "reference" / "cli.md").read_text()


def test_the_library_itself_is_not_added_to_itself(filled, tmp_path, runs):
    shutil.copytree(runs / "two", tmp_path / "more")
    said = filled("add", tmp_path)  # the library with its quarantine lies there, too
    assert "0 new, 1 known, 0 quarantined" in said.out
