"""Node ``sim`` over real DDS: lock-step with lost, doubled, late answers; a ROS run equals a NeoEnv run."""

import numpy as np
import pytest
from neo_msgs.msg import TendonCommand as TendonCommandMessage
from std_srvs.srv import SetBool

from neo_body_control.controller import BodyController
from neo_description import scenes
from neo_description.signals import DriveMode, TendonCommand
from neo_description.tables import BODY, HAND
from neo_hand_control.controller import HandController
from neo_ros import convert, graph
from neo_ros.qos import PUBLISH
from neo_sim.env import NeoEnv
from neo_sim.plant import GROUPS, Plant

CONTROL = PUBLISH["control"]
TABLES = {"body": BODY, "l_hand": HAND, "r_hand": HAND}


@pytest.fixture(scope="module")
def empty():
    return scenes.make("empty", 3)


def command_of(group, tick):
    """A command that follows from group and tick alone."""
    return TendonCommand(tick, DriveMode.TENSION, TABLES[group].pretension * (2.0 + np.sin(0.02 * tick)))


class Echo:
    """Answers states with :func:`command_of` up to tick ``last``; the subclasses do it badly."""

    def __init__(self, station, last, groups=GROUPS):
        self.station, self.last_tick = station, last
        for group in groups:
            station.hear(f"{group}/state", lambda m, group=group: self.on_state(group, m))

    def on_state(self, group, message):
        if message.tick < self.last_tick:
            self.answer(group, message)

    def answer(self, group, message, tick=None):
        tick = message.tick if tick is None else tick
        answer = convert.tendon_command_message(command_of(group, tick), message.header.stamp)
        self.station.publish(f"{group}/tendon_command", answer)


class Lossy(Echo):
    """Loses the first answer to every 13th tick."""

    lost = 0

    def on_state(self, group, message):
        key = (group, message.tick)
        self.seen = getattr(self, "seen", set())
        if message.tick % 13 == 5 and key not in self.seen:
            self.seen.add(key)
            self.lost += 1
            return
        super().on_state(group, message)


class Stutterer(Echo):
    """Says everything twice, and the last thing again afterwards."""

    def answer(self, group, message, tick=None):
        super().answer(group, message)
        super().answer(group, message)
        if message.tick > 0:
            super().answer(group, message, message.tick - 1)


def wait_for_tick(station, tick):
    station.hear("sim/privileged_state")
    station.until(lambda: "sim/privileged_state" in station.last)
    station.until(lambda: station.last["sim/privileged_state"].tick == tick)
    return station.last["sim/privileged_state"]


@pytest.mark.parametrize(("controller", "end"), [(Echo, 200), (Lossy, 200), (Stutterer, 60)])
def test_the_trajectory_depends_on_commands_by_tick_only(start_sim, station, empty, controller, end):
    start_sim(scene="empty", seed=3, lockstep_timeout=30.0)
    echo = controller(station, last=end)
    arrived = wait_for_tick(station, end)
    plant = Plant(empty, seed=3)
    for tick in range(end):
        for group in GROUPS:
            assert plant.command(group, command_of(group, tick)) is None
        plant.step()
    np.testing.assert_array_equal(np.array(arrived.qpos), plant.data.qpos)
    np.testing.assert_array_equal(np.array(arrived.qvel), plant.data.qvel)
    assert controller is not Lossy or echo.lost >= 30


class RealControllers:
    """The real cores behind the topics; ``script`` gives commands right after the answer to a tick."""

    def __init__(self, station, last, script):
        self.station, self.last_tick, self.script = station, last, script
        self.body = BodyController()
        self.hands = {side: HandController(side) for side in "lr"}
        station.hear("body/state", self.on_body)
        for side in "lr":
            station.hear(f"{side}_hand/state", lambda m, side=side: self.on_hand(side, m))

    def on_body(self, message):
        if message.tick >= self.last_tick:
            return
        new = self.body._tick < message.tick
        self.reply("body", message, self.body.update(convert.body_state(message)))
        if new and message.tick in self.script:
            assert self.body.set_mode(self.script[message.tick]) is None

    def on_hand(self, side, message):
        if message.tick < self.last_tick:
            self.reply(f"{side}_hand", message, self.hands[side].update(convert.hand_state(message)))

    def reply(self, group, message, command):
        answer = convert.tendon_command_message(command, message.header.stamp)
        self.station.publish(f"{group}/tendon_command", answer)


def test_a_lockstep_run_over_dds_and_a_neo_env_run_are_the_same(start_sim, station, empty):
    script, end = {40: "stand"}, 500
    start_sim(scene="empty", seed=3, lockstep_timeout=30.0)
    seen = {}
    RealControllers(station, end, script)
    station.hear(
        "sim/privileged_state", lambda m: seen.update({m.tick: (np.array(m.qpos), np.array(m.qvel))})
    )
    station.until(lambda: end in seen, timeout=90.0)
    env = NeoEnv(empty, seed=3)
    compared = 0
    for tick in range(end + 1):
        if tick in script:
            env.command("mode", script[tick])
        if tick in seen:
            compared += 1
            np.testing.assert_array_equal(
                seen[tick][0], env.plant.data.qpos, err_msg=f"first difference {tick}"
            )
            np.testing.assert_array_equal(
                seen[tick][1], env.plant.data.qvel, err_msg=f"first difference {tick}"
            )
        env.step()
    assert compared > 30
    assert seen[end][0][2] != seen[0 if 0 in seen else min(seen)][0][2]  # it did something


def test_silent_groups_are_given_up_and_waited_for_again(start_sim, station):
    start_sim(scene="empty", lockstep_timeout=0.1, wait_for_controllers=1.0)
    Echo(station, last=10**9, groups=("body",))
    station.hear("sim/privileged_state")

    def only_the_body_is_driven():
        state = station.last.get("sim/privileged_state")
        return (
            state is not None
            and state.tick > 50
            and state.body_drive_mode == DriveMode.TENSION
            and state.l_hand_drive_mode == DriveMode.HOLD
        )

    station.until(only_the_body_is_driven)
    Echo(station, last=10**9, groups=("l_hand", "r_hand"))
    station.until(lambda: station.last["sim/privileged_state"].l_hand_drive_mode == DriveMode.TENSION)
    station.until(lambda: station.last["sim/privileged_state"].r_hand_drive_mode == DriveMode.TENSION)


def test_bad_commands_are_refused_in_diagnostics_and_the_robot_holds(start_sim, station):
    # the plant waits long enough that no answer of the body comes late, however busy the machine
    start_sim(scene="empty", lockstep_timeout=2.0, wait_for_controllers=0.5)

    class Spoiler(Echo):
        def answer(self, group, message, tick=None):
            answer = convert.tendon_command_message(command_of(group, message.tick), message.header.stamp)
            if group == "l_hand":
                answer.tension[3] = float("nan")
            if group == "r_hand":
                answer.mode = 9
            self.station.publish(f"{group}/tendon_command", answer)

    Spoiler(station, last=10**9)
    told = {}
    station.hear(
        "/diagnostics",
        lambda m: told.update({kv.key: kv.value for s in m.status if s.name == "/sim" for kv in s.values}),
    )
    station.until(lambda: "not_finite" in told.get("l_hand refused", ""))
    station.until(lambda: "unknown_mode" in told.get("r_hand refused", ""))
    assert told["l_hand drives"] == told["r_hand drives"] == "hold"
    assert told["body refused"] == "-"
    station.until(lambda: station.last["body/state"].drive_mode == DriveMode.TENSION)
    assert station.last["l_hand/state"].drive_mode == DriveMode.HOLD


def test_stamps_from_the_future_and_second_publishers_are_refused_and_named(start_sim, station):
    start_sim(scene="empty", lockstep_timeout=0.1, wait_for_controllers=0.5)

    class Ahead(Echo):
        def answer(self, group, message, tick=None):
            answer = convert.tendon_command_message(command_of(group, message.tick), message.header.stamp)
            if group == "r_hand":
                answer.header.stamp.sec += 1
            self.station.publish(f"{group}/tendon_command", answer)

    Ahead(station, last=10**9)
    told = {}
    station.hear(
        "/diagnostics",
        lambda m: told.update({kv.key: kv.value for s in m.status if s.name == "/sim" for kv in s.values}),
    )
    station.until(lambda: "future_stamp" in told.get("r_hand refused", ""))
    intruder = station.node.create_publisher(TendonCommandMessage, "l_hand/tendon_command", CONTROL)
    station.hear(
        "l_hand/state",
        lambda m: intruder.publish(convert.tendon_command_message(command_of("l_hand", m.tick), 0.0)),
    )
    station.until(lambda: "two_publishers" in told.get("l_hand refused", ""))
    assert not {"future_stamp", "two_publishers"} & set(told["body refused"].split())
    assert told["r_hand drives"] == "hold"


def test_runstop_is_a_service_of_the_drives(start_sim, station):
    start_sim(scene="empty")
    Echo(station, last=10**9)
    station.until(lambda: "body/state" in station.last and station.last["body/state"].tick > 5)
    client = graph.service_client(station.node, "runstop")
    assert client.wait_for_service(timeout_sec=20.0)
    assert station.wait(client.call_async(SetBool.Request(data=True))).success
    station.until(lambda: station.last["body/state"].runstop)
    station.until(lambda: station.last["r_hand/state"].drive_mode == DriveMode.HOLD)
    assert station.wait(client.call_async(SetBool.Request(data=False))).success
    station.until(lambda: station.last["body/state"].drive_mode == DriveMode.TENSION)


def test_in_real_time_nobody_is_waited_for_and_the_clock_runs(start_sim, station):
    start_sim(scene="empty", sync="realtime", wait_for_controllers=0.2)
    station.hear("/clock")
    station.hear("body/state")
    station.until(lambda: "body/state" in station.last and station.last["body/state"].tick > 100)
    assert station.last["body/state"].drive_mode == DriveMode.HOLD
    station.until(lambda: "/clock" in station.last and station.last["/clock"].clock.nanosec > 0)


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"scene": "moon"}, "no scene 'moon'; one of"),
        ({"friction": 3.0}, "parameter friction: 3.0 is outside [0.0, 0.3]"),
        ({"dead_taxels": "[l_toe]"}, "no pad l_toe; one of"),
    ],
)
def test_a_bad_parameter_is_one_clear_line(start_sim, parameters, says):
    process = start_sim(**parameters)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert says in errors
    assert len(errors.strip().splitlines()) == 1
