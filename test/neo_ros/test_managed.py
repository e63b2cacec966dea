"""Managed nodes over real DDS: what reaches them in which state, what a cleanup leaves, signs of life."""

import pytest
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from neo_msgs.action import DoTask
from rclpy._rclpy_pybind11 import InvalidHandle
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

from neo_description.errors import NeoError
from neo_ros import graph
from neo_ros.managed import ManagedNode

CONFIGURE, CLEANUP = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_CLEANUP
ACTIVATE, DEACTIVATE = Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_DEACTIVATE


class Tiny(ManagedNode):
    """Repeats what it hears, counts its ticks and says what became of it."""

    faulty = False

    def __init__(self):
        self.heard, self.ticks, self.done = [], 0, []
        super().__init__("tiny")

    def configure(self):
        if self.faulty:
            raise NeoError("the camera is not plugged in")
        self.done.append("configured")
        self.echo = self.create_publisher(String, "echo", 10)
        self.create_subscription(String, "words", self.on_word, 10)
        self.create_timer(0.01, self.tick, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self.create_service(SetBool, "switch", self.on_switch)
        self.create_service(Trigger, "later", self.on_later)
        self.server = graph.action_server(self, "do_task", self.on_task)

    def activate(self):
        self.done.append("activated")

    def deactivate(self):
        self.done.append("deactivated")

    def cleanup(self):
        self.done.append("cleaned up")

    def on_word(self, message):
        self.heard.append(message.data)
        self.echo.publish(message)

    def tick(self):
        self.ticks += 1

    def on_switch(self, request, response):
        response.success = request.data
        return response

    async def on_later(self, request, response):
        response.success, response.message = True, "now"
        return response

    async def on_task(self, goal):
        goal.succeed()
        return DoTask.Result(success=True)


class Person(Node):
    def __init__(self):
        super().__init__("person")
        self.words = self.create_publisher(String, "words", 10)
        self.switch = self.create_client(SetBool, "switch")
        self.later = self.create_client(Trigger, "later")
        self.change_state = self.create_client(ChangeState, "tiny/change_state")
        self.get_state = self.create_client(GetState, "tiny/get_state")
        self.task = graph.action_client(self, "do_task")
        self.beats, self.echoes = [], []
        graph.subscription(self, "safety/heartbeat", self.beats.append)
        self.create_subscription(String, "echo", self.echoes.append, 10)


@pytest.fixture
def pair(start_ros, spinning):
    nodes = []

    def make(*parameters):
        start_ros(*parameters)
        tiny, person = Tiny(), Person()
        nodes.extend((tiny, person))
        return tiny, person, spinning(tiny, person)

    yield make
    for node in nodes:
        node.destroy_node()


def ask(spin, client, request):
    spin.until(client.service_is_ready)
    answer = client.call_async(request)
    spin.until(answer.done)
    return answer.result()


def change(spin, person, transition):
    return ask(spin, person.change_state, ChangeState.Request(transition=Transition(id=transition))).success


def state(spin, person):
    return ask(spin, person.get_state, GetState.Request()).current_state.id


def test_it_comes_up_by_itself(pair):
    tiny, person, spin = pair()
    assert tiny.done == ["configured", "activated"]
    assert state(spin, person) == State.PRIMARY_STATE_ACTIVE
    spin.until(lambda: tiny.ticks > 2)
    spin.until_said(lambda: tiny.heard, lambda: person.words.publish(String(data="hello")))
    assert ask(spin, person.switch, SetBool.Request(data=True)).success
    assert ask(spin, person.later, Trigger.Request()).message == "now"


def test_while_it_is_not_active_nothing_reaches_it(pair):
    tiny, person, spin = pair()
    spin.until_said(lambda: tiny.heard, lambda: person.words.publish(String(data="before")))
    assert change(spin, person, DEACTIVATE)
    assert tiny.done[-1] == "deactivated"
    ticks = tiny.ticks
    person.words.publish(String(data="meanwhile"))
    for client, request in ((person.switch, SetBool.Request(data=True)), (person.later, Trigger.Request())):
        refused = ask(spin, client, request)
        assert not refused.success
        assert refused.message == "tiny is inactive"
    spin.until(person.task.server_is_ready)
    sent = person.task.send_goal_async(DoTask.Goal())
    spin.until(sent.done)
    assert not sent.result().accepted
    assert tiny.ticks == ticks
    assert change(spin, person, ACTIVATE)
    person.words.publish(String(data="after"))  # in order behind what was said meanwhile
    spin.until(lambda: "after" in tiny.heard)
    assert "meanwhile" not in tiny.heard
    sent = person.task.send_goal_async(DoTask.Goal())
    spin.until(sent.done)
    assert sent.result().accepted
    ended = sent.result().get_result_async()
    spin.until(ended.done)
    assert ended.result().result.success


def test_a_cleanup_lets_go_of_everything_and_it_can_be_configured_again(pair):
    tiny, person, spin = pair()
    spin.until(lambda: person.count_subscribers("words") == 1)
    made = [len(list(getattr(tiny, kind))) for kind in ("publishers", "subscriptions", "timers", "services")]
    for round_ in range(2):
        assert change(spin, person, DEACTIVATE)
        assert change(spin, person, CLEANUP)
        assert tiny.done[-2:] == ["deactivated", "cleaned up"]
        spin.until(lambda: person.count_subscribers("words") == 0)
        spin.until(lambda: not person.switch.service_is_ready())
        spin.until(lambda: not person.task.server_is_ready())
        assert change(spin, person, CONFIGURE)
        assert change(spin, person, ACTIVATE)
        now = [
            len(list(getattr(tiny, kind))) for kind in ("publishers", "subscriptions", "timers", "services")
        ]
        assert now == made, f"round {round_}"
        word = f"round {round_}"
        spin.until_said(lambda w=word: w in tiny.heard, lambda w=word: person.words.publish(String(data=w)))
    assert not change(spin, person, CONFIGURE), "it is active"


def test_without_autostart_it_waits_and_a_refusal_leaves_it_unconfigured(pair, monkeypatch):
    monkeypatch.setattr(Tiny, "faulty", True)
    tiny, person, spin = pair("autostart:=false")
    assert tiny.done == []
    assert state(spin, person) == State.PRIMARY_STATE_UNCONFIGURED
    assert not change(spin, person, CONFIGURE)
    assert state(spin, person) == State.PRIMARY_STATE_UNCONFIGURED
    monkeypatch.setattr(Tiny, "faulty", False)
    assert change(spin, person, CONFIGURE)
    assert tiny.ticks == 0
    assert change(spin, person, ACTIVATE)
    spin.until(lambda: tiny.ticks > 0)


def test_what_refuses_at_start_comes_through(start_ros, monkeypatch):
    monkeypatch.setattr(Tiny, "faulty", True)
    refused = []

    class Kept(Tiny):
        def configure(self):
            refused.append(self)
            super().configure()

    start_ros()
    with pytest.raises(NeoError, match="not plugged in"):
        Kept()
    with pytest.raises(InvalidHandle), refused[0].handle:  # it has left the graph: nobody else could end it
        pass


def test_a_heartbeat_tells_state_and_what_is_missed(pair):
    tiny, person, spin = pair("heartbeat_rate:=50.0")
    tiny.degraded["no_camera"] = "nothing seen for 3 s"
    spin.until(lambda: person.beats and person.beats[-1].degraded)
    beat = person.beats[-1]
    assert (beat.node, beat.lifecycle) == ("/tiny", State.PRIMARY_STATE_ACTIVE)
    assert list(beat.degraded) == ["no_camera: nothing seen for 3 s"]
    assert change(spin, person, DEACTIVATE)
    spin.until(lambda: person.beats[-1].lifecycle == State.PRIMARY_STATE_INACTIVE)
    counts = [beat.count for beat in person.beats]
    assert counts == sorted(set(counts))


def test_a_shutdown_ends_it_for_good(pair):
    tiny, person, spin = pair()
    assert change(spin, person, Transition.TRANSITION_ACTIVE_SHUTDOWN)
    assert tiny.done[-2:] == ["deactivated", "cleaned up"]
    assert state(spin, person) == State.PRIMARY_STATE_FINALIZED
    assert not change(spin, person, CONFIGURE)
