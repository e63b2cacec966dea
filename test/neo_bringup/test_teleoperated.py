"""Teleoperation in simulation: a scripted person, a lost link, tracks played again."""

import numpy as np
import pytest

from neo_bringup.collect import collect as collecting
from neo_bringup.collect.operator import DT, REACTION, Operator
from neo_bringup.collect.teleoperated import Player, Teleoperated
from neo_bringup.commands import collect as command
from neo_description.errors import NeoError
from neo_description.signals import BodyEstimate, GraspStatus, HandCommand, Safety, WholeBodyCommand
from neo_description.tables import CONTROL_DT
from neo_sim.env import NeoEnv
from neo_task.planner import Observation, Step
from neo_teleop.frames import HandFrame, OperatorFrame
from neo_teleop.teleop import Teleop
from neo_teleop.track import Track
from neo_world_model.modalities import PROVENANCE, unstack

EASY = 400003  # pick a box
FOREVER = 3600.0


class Idle:
    """A planner that wants nothing."""

    def step(self, observation):
        return Step()


class Follows:
    """An operator at a robot whose grippers are always where they were sent last."""

    def __init__(self, seed=0):
        self.teleop = Teleop()
        self.operator = Operator(self.teleop, np.random.default_rng(seed))
        self.time = 5.0
        self.T = {"l": np.eye(4), "r": np.eye(4)}
        self.T["l"][:3, 3], self.T["r"][:3, 3] = (0.3, 0.2, 0.9), (0.3, -0.2, 0.9)
        self.frames = []

    def step(self, wanted=None):
        self.time += DT
        estimate = BodyEstimate(
            0, self.time, np.eye(4), np.zeros(6), self.T["l"], self.T["r"], np.eye(4), Safety.ACTIVE
        )
        hands = {side: GraspStatus() for side in "lr"}
        (frame,) = self.operator.frames(Observation(self.time, estimate, hands), wanted or Step())
        self.frames.append(frame)
        for order in self.teleop.step(frame, estimate, hands).body:
            for side in "lr":
                T = getattr(order, f"T_{side}_hand")
                self.T[side] = self.T[side] if T is None else T


def test_a_scripted_person_is_late_trembles_overshoots_and_arrives():
    run = Follows()
    for _ in range(50):
        run.step()
    start = run.T["r"].copy()
    goal = start.copy()
    goal[:3, 3] += (0.15, 0.0, 0.05)
    run.step(Step(body=[WholeBodyCommand(FOREVER, T_r_hand=goal, hand_speed=0.3)]))
    asked, places = run.time, []
    for _ in range(100):
        run.step()
        places.append((run.time - asked, *run.T["r"][:3, 3]))
    after, *xyz = np.array(places).T
    moved = np.linalg.norm(np.transpose(xyz) - start[:3, 3], axis=1)
    off = np.linalg.norm(np.transpose(xyz) - goal[:3, 3], axis=1)
    assert moved[after < REACTION[0]].max() < 0.01
    assert (off[-30:] < 0.012).mean() > 0.9
    assert off[-30:].std() > 1e-4
    assert xyz[0].max() > goal[0, 3] + 0.003


def test_a_scripted_person_brings_hands_back_and_the_clutch_never_sees_a_jump():
    run = Follows(1)
    for i in range(8):
        goal = run.T["r"].copy()
        goal[:3, 3] = (0.3 + 0.3 * (i % 2), -0.2 + 0.2 * (i % 3), 0.9)
        for k in range(100):
            run.step(Step(body=[WholeBodyCommand(FOREVER, T_r_hand=goal)]) if k == 0 else None)
        assert np.linalg.norm(run.T["r"][:3, 3] - goal[:3, 3]) < 0.02
    pressed = np.array([frame.hands["r"].clutch for frame in run.frames])
    assert np.sum(pressed[1:] & ~pressed[:-1]) >= 2
    assert run.teleop.clutches["r"].reason in ("", "the operator let go")
    p = np.array([frame.hands["r"].T_user_hand[:3, 3] for frame in run.frames])
    assert np.linalg.norm(np.diff(p, axis=0), axis=1).max() / DT < 1.5  # m/s


def test_a_lost_link_holds_the_robot_within_200_ms(kitchen):
    def frame(time):
        T = np.eye(4)
        T[0, 3] = 0.3 * max(0.0, time - 0.1)
        return OperatorFrame(time, {"r": HandFrame(T, clutch=time > 0.05)})

    env, teleop = NeoEnv(kitchen, 0), Teleop()
    env.stand()
    track = Track([frame(DT * i) for i in range(40)])
    env.planner = Teleoperated(Idle(), Player(track), teleop)
    run = []
    for _ in range(80):
        env.step(10)
        run.append((env.plant.time, *env.body.estimate.T_odom_r_gripper[:3, 3]))
    *_, heard, held = (given.tick * CONTROL_DT for given in env.log_commands if given.target == "body")
    assert held - heard <= 0.2 + 1e-9
    assert "nothing heard" in teleop.clutches["r"].reason
    time, *places = np.array(run).T
    speed = np.linalg.norm(np.diff(places), axis=0) / 0.02
    assert speed[time[1:] <= heard].max() > 0.25
    assert speed[time[1:] > held + 0.1].max() < 0.05
    at = int(np.searchsorted(time, heard))
    assert np.linalg.norm(np.array(places)[:, -1] - np.array(places)[:, at]) < 0.08  # m


@pytest.fixture(scope="module")
def operated(tmp_path_factory):
    """(episode, folder of its track, body and hand commands given, commands that the clutch made)."""
    folder, made, logs = tmp_path_factory.mktemp("tracks"), [], []
    step, close = Teleop.step, NeoEnv.close

    def kept(self, *given):
        orders = step(self, *given)
        made.extend([*orders.body, *(order for _, order in orders.hands)])
        return orders

    def closed(self):
        logs.extend(self.log_commands)
        close(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Teleop, "step", kept)
        patch.setattr(NeoEnv, "close", closed)
        episode = collecting.collect("teleop", EASY, tracks=folder)
    return episode, folder, [g.command for g in logs if g.target != "mode"], made


def test_an_operated_episode_succeeds_and_says_who_chose(operated):
    episode, *_ = operated
    assert episode.success
    assert (episode.source, episode.kind) == ("teleop", "teleop")
    by = {PROVENANCE[i] for i in np.unique(episode.provenance)}
    assert by == {"teleop", "none"}
    assert (episode.provenance == PROVENANCE.index("teleop")).mean() > 0.6
    assert episode.progress[-1] == 1.0
    asked = unstack("action", episode.fields["action"])
    assert max(asked["l_closing"].max(), asked["r_closing"].max()) == 1.0


def test_only_the_clutch_commands_body_and_hands(operated):
    _, _, given, made = operated
    assert len(given) > 100
    assert {type(command) for command in given} == {WholeBodyCommand, HandCommand}
    assert [id(command) for command in given] == [id(command) for command in made]
    assert max(command.valid_for for command in given) <= 0.2


def test_a_track_played_again_gives_the_same_steps(operated, tmp_path):
    episode, folder, *_ = operated
    file = folder / f"teleop-{EASY}.jsonl"
    track = Track.load(file)
    Track(track.frames[:100], track.about).save(tmp_path / "two_seconds.jsonl")
    parser = command.argparse.ArgumentParser()
    command.add_arguments(parser)
    args = [str(tmp_path / "store"), "--replay-teleop", str(tmp_path / "two_seconds.jsonl")]
    assert command.run(parser.parse_args(args)) == 0
    store = command.Store.create(tmp_path / "store")
    (entry,) = store.episodes
    assert (entry["source"], entry["seed"], entry["steps"]) == ("teleop", EASY, 20)
    assert entry["success"] is None  # two seconds are not enough to tell
    again = store.window(0, 0, 20)
    np.testing.assert_array_equal(again["provenance"], episode.provenance[:20])
    for name, values in episode.fields.items():
        np.testing.assert_array_equal(again[name], values[:20], name)


def test_a_track_that_names_no_world_is_refused():
    with pytest.raises(NeoError, match="a seed and a kind"):
        collecting.replay(Track([OperatorFrame(0.0)], {"kind": "teacher", "seed": 1}))
