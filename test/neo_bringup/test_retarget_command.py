"""`neo retarget`: landmarks of a person become episodes that training, recordings and LeRobot take."""

import sys

import av
import numpy as np
import pytest

from neo_bringup import cli
from neo_bringup.collect import bag
from neo_description.kinematics import Kinematics
from neo_flywheel.store import lerobot
from neo_flywheel.store.library import Library
from neo_teleop.retargeting.body_model import READY
from neo_teleop.retargeting.follow import eye
from neo_teleop.retargeting.hand_model import hand_model
from neo_teleop.retargeting.landmark_track import LandmarkTrack, Moment
from neo_world_model.mixture import Mixture
from neo_world_model.modalities import PROVENANCE, SOURCES, pose_of, unstack
from neo_world_model.store import Store

SECONDS, RATE, SCALE = 3.0, 30, 0.9
CLOSED = 1.2  # rad of finger joints at the end


def grasping(side="r", seconds=SECONDS):
    """A hand before the robot's eye that moves 10 cm up and closes: the moments, and where its wrist is."""
    hand, to_eye = hand_model(side), np.linalg.inv(eye())
    T = Kinematics().frames(READY, [f"{side}_wrist"])[f"{side}_wrist"]
    bends = [i for i in range(22) if hand.model.joint(i).name.endswith(("mcp_flex", "pip_flex"))]
    moments, wrists = [], []
    for k in range(round(seconds * RATE)):
        share = k / (seconds * RATE)
        q = np.zeros(22)
        q[bends] = share * CLOSED
        T_base_wrist = T.copy()
        T_base_wrist[2, 3] += 0.1 * share
        T_eye_wrist = to_eye @ T_base_wrist
        points = SCALE * hand.at(q) @ T_eye_wrist[:3, :3].T + T_eye_wrist[:3, 3]
        moments.append(Moment(k / RATE, {side: points}, None, {side: 0.9}))
        wrists.append(T_base_wrist)
    return moments, wrists


def film(file, seconds=SECONDS):
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for k in range(round(seconds * RATE)):
            image = np.full((120, 160, 3), 2 * k, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store and a recording, out of a track with a film."""
    folder = tmp_path_factory.mktemp("retargeted")
    moments, wrists = grasping()
    LandmarkTrack(moments, {"prompt": "pick up the red cup"}).save(folder / "a.jsonl")
    film(folder / "a.mp4")
    words = ["retarget", str(folder / "a.jsonl"), "--video", str(folder / "a.mp4"), "--outcome", "done"]
    assert cli.main([*words, "--store", str(folder / "store"), "--bags", str(folder / "bags")]) == 0
    return folder, wrists


def test_the_episode_says_what_the_person_did(made):
    folder, wrists = made
    store = Store(folder / "store")
    (about,) = store.episodes
    assert (about["source"], about["prompt"], about["success"]) == (
        "human_video",
        "pick up the red cup",
        True,
    )
    assert about["steps"] == 29  # of 2.97 s, the last one's action being unknown
    assert set(about["rows"]) == {"vision", "proprio", "action", "provenance"}
    rows = store.window(0, 0, 29)
    assert (rows["provenance"] == PROVENANCE.index("none")).all()
    action, proprio = unstack("action", rows["action"]), unstack("proprio", rows["proprio"])
    assert action["r_moves"].all()
    assert not action["l_moves"].any()
    # a step's target is where the hand was a step later, and the robot is there then
    np.testing.assert_allclose(action["r_gripper"][:-1], proprio["r_gripper"][1:], atol=1e-5)
    rise = pose_of(action["r_gripper"][-1])[2, 3] - pose_of(proprio["r_gripper"][0])[2, 3]
    assert rise == pytest.approx(wrists[-4][2, 3] - wrists[0][2, 3], abs=0.01)
    assert action["r_closing"][0] == 0.0
    assert action["r_closing"][-1] == 1.0
    flexed = proprio["r_hand_joint_position"][-1][6:9]  # index mcp, pip and dip, at 2.8 s of 3
    np.testing.assert_allclose(flexed, [CLOSED * 28 / 30, CLOSED * 28 / 30, 0.0], atol=0.02)


def test_pictures_are_those_of_their_time(made):
    grey = Store(made[0] / "store").window(0, 0, 29, ["vision"])["vision"].mean(axis=(1, 2, 3, 4))
    np.testing.assert_allclose(grey, 6.0 * np.arange(29), atol=5.0)


def test_training_draws_from_it(made):
    batch = Mixture([Store(made[0] / "store")], {"human_video": 1.0}, 8).batch(8, 0)
    assert (batch["source"] == SOURCES.index("human_video")).all()
    assert batch["has_vision"].all()
    assert batch["has_action"].all()
    assert not batch["has_touch"].any()


def test_its_recording_is_the_same_episode_and_goes_into_library_and_lerobot(made):
    folder, _ = made
    (recording,) = (folder / "bags").iterdir()
    (episode,) = bag.read(recording)
    want = Store(folder / "store").window(0, 0, 29)
    for name in ("vision", "proprio", "action"):
        np.testing.assert_array_equal(episode.fields[name], want[name])
    assert episode.source == "human_video"
    with Library(folder / "library") as library:
        added = library.add_bag(recording)
        assert not added.reason
        assert library.catalogue.get(str(added.id)).prompt == "pick up the red cup"
    assert lerobot.export([episode], folder / "dataset") == 1


def test_a_gap_ends_an_episode_and_another_begins(tmp_path):
    moments, _ = grasping(seconds=4.0)
    kept = [m for m in moments if not 1.6 < m.time < 2.2]
    unsure = [Moment(m.time, m.hands, None, {"r": 0.1}) if 1.0 < m.time < 1.2 else m for m in kept]
    LandmarkTrack(unsure).save(tmp_path / "a.jsonl")
    assert cli.main(["retarget", str(tmp_path / "a.jsonl"), "--store", str(tmp_path / "store")]) == 0
    assert [e["steps"] for e in Store(tmp_path / "store").episodes] == [16, 17]


PROVIDER = """
import json, sys
film, track, want = sys.argv[1:]
if want == "fail":
    sys.exit("no hands, no film, nothing")
open(track, "w").write(open(want).read())
"""


@pytest.mark.parametrize("works", [True, False])
def test_a_provider_of_its_own_environment_finds_the_landmarks(tmp_path, works, capsys):
    moments, _ = grasping(seconds=2.0)
    LandmarkTrack(moments).save(tmp_path / "known.jsonl")
    film(tmp_path / "a film.mp4", 2.0)
    (tmp_path / "provider.py").write_text(PROVIDER)
    want = tmp_path / "known.jsonl" if works else "fail"
    code = cli.main(
        [
            "retarget", str(tmp_path / "new" / "a.jsonl"), "--video", str(tmp_path / "a film.mp4"),
            "--provider", f"{sys.executable} {tmp_path}/provider.py {{video}} {{track}} {want}",
            "--store", str(tmp_path / "store"),
        ]
    )  # fmt: skip
    if works:
        assert code == 0
        assert Store(tmp_path / "store").steps == 19
    else:
        assert code == 2
        assert "ended with 1:\nno hands, no film, nothing" in capsys.readouterr().err
        assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "nowhere to write to; give --store FOLDER"),
        (["--store", "S", "--confidence", "2"], "--confidence 2.0; 0 to 1 allowed"),
        (["--store", "S", "--provider", "p {video} {track}"], "--provider needs the film"),
        (["--store", "S", "--video", "no.mp4"], "no.mp4 does not exist"),
        (
            ["--store", "S", "--video", "a.jsonl", "--provider", "p {video}"],
            "names no {track}; it must name both",
        ),
        (["--store", "S", "--video", "a.jsonl"], "cannot read video"),
        (["--store", "S"], "2 moments give 1 motions, none of 12 steps of 0.1 s"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(tmp_path, monkeypatch, capsys, words, says):
    monkeypatch.chdir(tmp_path)
    moments, _ = grasping(seconds=0.1)
    LandmarkTrack(moments[:2]).save(tmp_path / "a.jsonl")
    assert cli.main(["retarget", "a.jsonl", *words]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "S").exists()
