"""Episodes of the simulated robot, and the same ones out of a bag."""

import dataclasses
import sys
from pathlib import Path

import cv2
import mujoco
import numpy as np
import pytest
from mcap.reader import make_reader
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage

from neo_bringup.collect import bag, helped, things, worlds
from neo_bringup.collect import collect as collecting
from neo_bringup.collect.acting import Random
from neo_bringup.collect.collect import IMAGE, collect, drawn_kind, kinds
from neo_bringup.collect.recording import Recording
from neo_bringup.commands import collect as command
from neo_description import scenes
from neo_description.errors import NeoError
from neo_description.signals import WholeBodyCommand
from neo_description.tables import SIDES
from neo_flywheel import cdr
from neo_flywheel.bag import BagWriter, Qos
from neo_flywheel.message_types import TypeBook
from neo_flywheel.provenance import NOTE_TYPE
from neo_flywheel.video import VIDEO_TYPE, Encoder
from neo_ros import convert, graph
from neo_sensors.camera import open_camera
from neo_sim.env import NeoEnv
from neo_world_model import prompts
from neo_world_model.episode import THINGS
from neo_world_model.modalities import PROVENANCE, unstack
from neo_world_model.prompts import landmarks
from neo_world_model.stepper import TICKS
from neo_world_model.store import Store


class Writer:
    """Writes what NeoEnv does as the recorder would: call it every 20 ms."""

    def __init__(self, folder, env):
        self.env, self.given = env, len(env.log_commands)
        self.bag = BagWriter(folder, TypeBook([Path(sys.prefix)]), {})
        self.topics = {}
        self.shown = -1.0

    def __call__(self):
        env = self.env
        for given in env.log_commands[self.given :]:
            if isinstance(given.command, WholeBodyCommand):
                self.write("whole_body/command", convert.whole_body_command_message(given.command, None))
            elif given.target in ("l_hand", "r_hand"):
                self.write(f"{given.target}/command", convert.hand_command_message(given.command, None))
        self.given = len(env.log_commands)
        if env.frame is not None and env.frame.time > self.shown:
            self.shown = env.frame.time
            for eye in ("left", "right"):
                message = CompressedImage(format="png")
                message.header.stamp = convert.to_time(env.frame.time)
                rgb = getattr(env.frame, eye)
                message.data = cv2.imencode(".png", rgb[..., ::-1])[1].tobytes()
                self.write(f"head_camera/{eye}/image_raw/compressed", message)
        self.write("odom", convert.odometry_message(env.body.estimate))
        self.write("body/state", convert.body_state_message(env.plant.body_state()))
        for side in SIDES:
            self.write(f"{side}_hand/state", convert.hand_state_message(env.plant.hand_state(side), side))

    def write(self, name, message):
        if name not in self.topics:
            self.topics[name] = self.bag.add_topic(f"/{name}", graph.entry("topics", name)["type"], Qos())
        self.bag.write(self.topics[name], round(self.env.plant.time * 1e9), serialize_message(message))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A second and a half of random motion, recorded both ways: (episode, bag folder)."""
    env = NeoEnv("kitchen_table", 3, cameras=True, image=IMAGE)
    env.stand()
    while env.plant.tick % TICKS or env.frame is None:
        env.step()
    env.planner = Random(np.random.default_rng(0))
    folder = tmp_path_factory.mktemp("run") / "bag"
    recording, writer = Recording(env, "red_bottle"), Writer(folder, env)
    writer()
    for _ in range(15):
        recording.step("random", writer)
    writer.bag.close()
    env.close()
    return recording.episode("sim"), folder


def test_a_bag_gives_the_steps_that_the_simulation_gave(run):
    direct, folder = run
    (read,) = bag.read(folder, provenance="random")
    assert len(read) == len(direct)
    # the first step's window of touch began before the bag did
    np.testing.assert_array_equal(read.fields["touch"][1:], direct.fields["touch"][1:])
    for name in ("vision", "proprio", "force", "touch_valid"):
        np.testing.assert_array_equal(read.fields[name], direct.fields[name], name)
    # poses go through quaternions in messages
    np.testing.assert_allclose(read.fields["action"], direct.fields["action"], atol=1e-5)


def test_actions_are_what_was_commanded(run):
    direct, _ = run
    asked = unstack("action", direct.fields["action"])
    assert len(np.unique(asked["l_closing"])) > 1
    still = np.abs(np.diff(asked["l_gripper"][:, :3], axis=0)).max(axis=1)
    assert (still < 0.01).any()
    assert (still > 0.05).any()


def test_a_hole_in_a_bag_ends_an_episode(run, tmp_path):
    _, folder = run
    cutter_input = next(folder.glob("*.mcap"))
    from mcap.writer import Writer as McapWriter

    with cutter_input.open("rb") as stream, (tmp_path / "cut.mcap").open("wb") as out:
        writer, channels = McapWriter(out), {}
        writer.start()
        messages = list(make_reader(stream).iter_messages(log_time_order=False))
        begin = messages[0][2].log_time
        for schema, channel, message in messages:
            if 0.6e9 < message.log_time - begin < 0.9e9:
                continue
            if channel.topic not in channels:
                at = writer.register_schema(schema.name, schema.encoding, schema.data)
                channels[channel.topic] = writer.register_channel(channel.topic, "cdr", at)
            writer.add_message(channels[channel.topic], message.log_time, message.data, message.publish_time)
        writer.finish()
    first, second = bag.read(tmp_path)
    assert 5 <= len(first) <= 6
    assert 5 <= len(second) <= 6


def test_a_bag_that_a_person_drove_says_so(run, tmp_path):
    _, folder = run
    parser = command.argparse.ArgumentParser()
    command.add_arguments(parser)
    words = [str(tmp_path), "--bag", str(folder), "--source", "teleop", "--by", "teleop", "--prompt", "wave"]
    assert command.run(parser.parse_args(words)) == 0
    (about,) = Store(tmp_path).episodes
    assert (about["source"], about["kind"], about["prompt"]) == ("teleop", "bag", "wave")
    by = Store(tmp_path).window(0, 0, about["steps"], ("provenance",))["provenance"]
    assert set(by) == {PROVENANCE.index("teleop")}


def test_the_notes_of_a_bag_say_who_chose_each_step_and_h264_is_seen(run, tmp_path):
    direct, folder = run
    writer = BagWriter(tmp_path / "bag", TypeBook([Path(sys.prefix)], [VIDEO_TYPE]))
    notes = writer.add_topic("/recorder/notes", NOTE_TYPE, Qos())
    topics, encoders = {}, {}
    with next(folder.glob("*.mcap")).open("rb") as stream:
        messages = list(make_reader(stream).iter_messages(log_time_order=False))
    begin = messages[0][2].log_time
    said = [(0.0, "provenance", "none"), (0.0, "prompt", "wave"), (0.55, "provenance", "policy"),
            (1.05, "provenance", "teleop")]  # fmt: skip
    for schema, channel, message in messages:
        name, type_name, data = channel.topic, schema.name, message.data
        while said and message.log_time - begin >= said[0][0] * 1e9:
            _, key, value = said.pop(0)
            writer.write(notes, message.log_time, cdr.key_value_cdr(key, value))
        if name.endswith("/compressed"):
            name, type_name = name.replace("/compressed", "/h264"), VIDEO_TYPE.name
            picture = cdr.compressed_image(data)
            image = cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_COLOR)
            video, _ = encoders.setdefault(name, Encoder(quality=5)).encode_array(image)
            data = cdr.compressed_video_cdr(dataclasses.replace(picture, data=video, encoding="h264"))
        if name not in topics:
            topics[name] = writer.add_topic(name, type_name, Qos())
        writer.write(topics[name], message.log_time, data)
    writer.close()
    (read,) = bag.read(tmp_path / "bag", provenance="random")
    by = [PROVENANCE[i] for i in read.provenance]
    assert by == ["random"] * 5 + ["policy"] * 5 + ["teleop"] * 5
    assert read.prompt == "wave"
    assert np.abs(read.fields["vision"].astype(int) - direct.fields["vision"]).mean() < 5.0
    (given,) = bag.read(tmp_path / "bag", prompt="point")
    assert given.prompt == "point"


def test_a_folder_without_a_bag_is_refused(tmp_path):
    with pytest.raises(NeoError, match="no bag"):
        bag.read(tmp_path)


def test_dropped_things_fall_in_the_labels_and_nowhere_else():
    episode = collect("drop", 12)
    assert set(episode.privileged) == {"falls", "slips", "collides", "hidden", "places", "pixels"}
    assert episode.privileged["falls"].sum() >= 1.0
    assert episode.source == "sim"
    assert episode.kind == "drop"
    assert episode.prompt
    assert set(np.unique(episode.provenance)) == {PROVENANCE.index("teacher")}
    assert not any("privileged" in name for name in episode.fields)


def test_scattered_things_stand_elsewhere_every_half_second(monkeypatch):
    monkeypatch.setattr(collecting, "ALONE", 2.0)
    episode = collect("scatter", 3)
    places = episode.privileged["places"][:, : len(episode.things)]
    jumps = np.linalg.norm(np.diff(places, axis=0), axis=-1) > 0.05
    assert 3 <= jumps.any(axis=1).sum() <= 6
    settled = places[np.flatnonzero(jumps.any(axis=1)) + 3]
    rise = settled[..., 2] - places[0, :, 2]  # in base_link, which comes down where a hand goes low
    assert np.abs(rise - np.median(rise, axis=1, keepdims=True)).max() < 0.05  # on the table still
    assert episode.prompt == ""


def test_the_same_seed_gives_the_same_world_and_another_seed_another():
    a, b, c = (worlds.make("kitchen_table", seed, kinds()["edge"]) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a.qpos, b.qpos)
    np.testing.assert_array_equal(a.model.geom_friction, b.model.geom_friction)
    assert not np.array_equal(a.qpos, c.qpos)


def test_a_drawn_world_looks_nearly_as_the_scene_does():
    """The same things in other light: no material is hidden, no colour is another."""
    for seed in range(20):
        drawn, plain = worlds.make("kitchen_table", seed, {}), scenes.make("kitchen_table", seed)
        if [t.name for t in drawn.objects] != [t.name for t in plain.objects]:
            continue
        pictures = []
        for scene in (drawn, plain):
            camera = open_camera("sim", scene.model, image_noise=0.0)
            camera.set_state(plain.qpos)
            pictures.append(camera.read(0.0, 0).left.astype(float))
            camera.close()
        off = np.abs(pictures[0] - pictures[1] * pictures[0].mean() / pictures[1].mean())
        assert not np.array_equal(*pictures)
        assert np.quantile(off, 0.99) < 0.15 * 255
        return
    pytest.fail("no drawn world has the scene's own things")


def test_kinds_are_drawn_by_their_shares():
    drawn = [drawn_kind(seed) for seed in range(400)]
    for name, row in kinds().items():
        assert abs(drawn.count(name) / 400 - row["share"]) < 0.08
    with pytest.raises(NeoError, match="teacher, noisy"):
        collect("magic", 0)


def test_a_world_with_a_landmark_has_one_of_a_colour_of_its_own_and_room_for_its_things():
    seen = set()
    for seed in range(6):
        made = worlds.make("kitchen_table", seed, kinds()["rest"])
        (landmark,) = (thing for thing in made.objects if thing.class_name in landmarks())
        others = [thing for thing in made.objects if thing is not landmark]
        assert len(made.objects) <= THINGS
        assert 3 <= len(others) <= 4
        assert landmark.color not in {thing.color for thing in others}
        x, y = made.qpos[landmark.qpos[:2]]
        assert 0.42 <= x <= 0.52
        assert abs(y) <= 0.25
        data = made.data()
        for _ in range(20):
            mujoco.mj_step(made.model, data)
        pairs = {frozenset(made.model.geom_bodyid[contact.geom]) for contact in data.contact}
        things = {thing.body for thing in made.objects}
        assert not any(pair <= things for pair in pairs)  # nothing touches another thing
        asked = prompts.draw(np.random.default_rng(seed), worlds.said(made), "rest")
        assert asked.place == f"{landmark.color} {landmark.class_name}"
        seen.add(landmark.class_name)
    assert seen == landmarks()
    plain = worlds.make("kitchen_table", 0, kinds()["teacher"])
    assert not {thing.class_name for thing in plain.objects} & landmarks()


def test_a_landmark_is_as_hollow_as_in_the_registry_whatever_its_size():
    for seed in range(8):
        (row,) = things.landmark(np.random.default_rng(seed), {}).values()
        walls = [shape for shape in row["shapes"] if any(shape["offset"])]
        floor = row["shapes"][0]["size"]
        for wall in walls:
            aside = np.nonzero(wall["offset"])
            reach = np.abs(wall["offset"]) + np.array(wall["size"][:2]) / 2
            np.testing.assert_allclose(reach[aside], np.array(floor[:2])[aside] / 2)


def test_things_that_are_kept_back_are_never_drawn_for_training():
    seen = set()
    for seed in range(60):
        rows = things.draw(np.random.default_rng(seed))
        seen |= {(row["color"], row["class"]) for row in rows.values()}
    assert not seen & set(things.UNSEEN)
    assert len(seen) > 20
    kept_back = next(iter(things.draw(np.random.default_rng(1), unseen=True).values()))
    assert (kept_back["color"], kept_back["class"]) in things.UNSEEN


def test_where_the_model_does_not_get_on_the_teacher_does(monkeypatch):
    monkeypatch.setattr(helped, "PATIENCE", (0.5, 0.6))  # s: nothing is picked up so soon
    made = collect("helped", 300_001)
    policy, teacher = (PROVENANCE.index(name) for name in ("policy", "teacher"))
    alone = int((made.provenance == policy).sum())
    assert 5 <= alone <= 7
    assert (made.provenance[:alone] == policy).all()
    assert (made.provenance[alone:] == teacher).all()
    assert made.source == "on_policy"
    gone = np.linalg.norm(np.diff(made.fields["action"], axis=0), axis=1)
    assert gone[:alone].any()
    assert gone[alone:].any()


def test_a_person_takes_what_is_held_out(monkeypatch):
    monkeypatch.setitem(kinds(), "give_test", {"share": 0.0, "acts": "teacher", "task": "give"})
    for seed in range(1, 4):  # not every grasp holds; one of three must
        episode = collect("give_test", seed)
        if episode.success:
            break
    assert episode.success
    assert episode.progress[-1] == 1.0
    row = episode.things.index(episode.target)
    assert episode.privileged["places"][-1, row, 0] > 0.55  # m: out of the hand and away
