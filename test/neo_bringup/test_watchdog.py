"""Who counts as lost, when, and what it is called: the watchdog and the policy table, without ROS."""

from pathlib import Path

import pytest

from neo_bringup import policy
from neo_bringup.policy import Policy, Table, Verdict, judge
from neo_bringup.watchdog import Beat, Condition, Watchdog
from neo_description import graph
from neo_description.errors import NeoError
from neo_ros.silence import STEP

CAMERA = Policy(silent=0.4, kill=2.0, on_loss="degrade", mode="no_camera", restarts=2, backoff=0.5)
BODY = Policy(silent=0.3, kill=1.0, on_loss="hold", mode="no_body", restarts=1, backoff=0.1)
TABLE = Table({"camera": CAMERA, "perception": CAMERA, "body": BODY}, {"no_camera": "", "no_body": ""})
PERIOD = 0.05


class Scene:
    """A watchdog, time, and nodes that beat when asked."""

    def __init__(self, *names):
        self.waited = dict.fromkeys(names, 0.0)
        self.watchdog = Watchdog(names, TABLE, self.waited.__getitem__)
        self.now, self.counts = 100.0, dict.fromkeys(names, 0)
        self.watchdog.arm()

    def pass_(self, seconds, beating=(), hears_itself=True, **beat):
        """Time passes in small steps; what was found on the way: silent, kill, back by name."""
        found = {"silent": [], "kill": [], "back": []}
        for _ in range(round(seconds / PERIOD)):
            self.now += PERIOD
            if hears_itself:
                self.watchdog.heard_itself()
            for name in beating:
                self.counts[name] += 1
                self.watchdog.heard(
                    Beat(name, self.counts[name], beat.get("lifecycle", 3), beat.get("said", ()))
                )
            news = self.watchdog.look(self.now)
            for kind, names in found.items():
                names += [life.name for life in getattr(news, kind)]
        return found

    def condition(self, name):
        return self.watchdog.lives[name].condition


def test_a_node_that_beats_is_well_and_one_that_never_did_is_starting():
    scene = Scene("camera", "body")
    found = scene.pass_(5.0, ["camera"])
    assert not any(found.values())
    assert scene.condition("camera") == Condition.WELL
    assert scene.condition("body") == Condition.STARTING
    assert scene.watchdog.modes() == {}
    assert scene.watchdog.unheard == ["body"]


def test_silence_is_noticed_once_then_killed_once_and_named():
    scene = Scene("camera", "body")
    scene.pass_(1.0, ["camera", "body"])
    found = scene.pass_(1.5, ["camera"])
    assert found == {"silent": ["body"], "kill": ["body"], "back": []}
    assert scene.watchdog.modes() == {"no_body": "body is silent"}


def test_silence_is_noticed_in_half_a_second():
    scene = Scene("camera", "body")
    scene.pass_(1.0, ["camera", "body"])
    assert scene.pass_(0.5) == {"silent": ["body", "camera"], "kill": [], "back": []}
    assert set(scene.watchdog.modes()) == {"no_body", "no_camera"}


def test_one_that_speaks_again_is_back():
    scene = Scene("camera")
    scene.pass_(1.0, ["camera"])
    assert scene.pass_(1.0)["silent"] == ["camera"]
    assert scene.pass_(0.2, ["camera"])["back"] == ["camera"]
    assert scene.watchdog.modes() == {}


def test_a_machine_that_stood_still_is_not_the_silence_of_everybody():
    scene = Scene("camera", "body")
    scene.pass_(1.0, ["camera", "body"])
    scene.now += 60.0
    news = scene.watchdog.look(scene.now)
    assert news.silent == []
    assert scene.watchdog.lives["body"].age <= PERIOD + STEP


def test_a_deaf_supervisor_accuses_nobody():
    scene = Scene("camera", "body")
    scene.pass_(1.0, ["camera", "body"])
    assert not any(scene.pass_(30.0, hears_itself=False).values())
    assert scene.pass_(1.0)["silent"], "once it hears itself again, silence counts again"


def test_nobody_is_silent_before_the_watchdog_is_armed():
    watchdog = Watchdog(["body"], TABLE)
    watchdog.heard(Beat("body", 1, 3))
    for i in range(100):
        watchdog.heard_itself()
        assert watchdog.look(100.0 + 0.1 * i).silent == []


def test_a_node_that_waits_for_a_core_is_not_silent_and_one_that_does_not_is():
    scene = Scene("camera", "body")
    scene.pass_(1.0, ["camera", "body"])
    for _ in range(100):
        scene.waited["camera"] += PERIOD
        assert "camera" not in scene.pass_(PERIOD)["silent"]
    assert scene.condition("body") == Condition.SILENT
    assert scene.pass_(0.4)["silent"] == ["camera"]


def test_a_restarted_node_is_lost_until_its_new_process_speaks():
    scene = Scene("camera")
    scene.pass_(1.0, ["camera"])
    scene.watchdog.heard(Beat("camera", 21, 3))  # on its way when the process died
    scene.watchdog.died("camera", "killed by SIGKILL", again=True)
    scene.watchdog.heard(Beat("camera", 22, 3))
    found = scene.pass_(10.0)
    assert not any(found.values()), "while it starts nothing counts"
    assert scene.watchdog.modes() == {"no_camera": "camera died: killed by SIGKILL"}
    scene.counts["camera"] = 0
    assert scene.pass_(0.1, ["camera"])["back"] == ["camera"]
    life = scene.watchdog.lives["camera"]
    assert (life.condition, life.restarts) == (Condition.WELL, 1)


def test_a_restarted_node_that_is_never_heard_is_killed_once_and_starts_again():
    scene = Scene("camera", "body")
    scene.pass_(1.0, ["camera", "body"])
    scene.watchdog.died("camera", "killed by SIGKILL", again=True)
    assert scene.pass_(CAMERA.start - 1.0, ["body"])["kill"] == []
    assert scene.pass_(10.0, ["body"], hears_itself=False)["kill"] == [], "a deaf supervisor accuses nobody"
    assert scene.pass_(2.0, ["body"])["kill"] == ["camera"]
    scene.watchdog.died("camera", "killed by SIGKILL", again=True)
    assert scene.pass_(CAMERA.start - 1.0, ["body"])["kill"] == []
    scene.counts["camera"] = 0  # a new process
    assert scene.pass_(0.1, ["camera", "body"])["back"] == ["camera"]


def test_a_restarted_node_that_nobody_listens_to_is_left_alone():
    scene = Scene("camera", "stranger")
    scene.watchdog.died("stranger", "exit code 1", again=True)
    assert scene.pass_(200.0, ["camera"])["kill"] == []


def test_one_that_is_gone_for_good_stays_gone():
    scene = Scene("camera")
    scene.pass_(1.0, ["camera"])
    scene.watchdog.died("camera", "exit code 1", again=False)
    scene.pass_(1.0, ["camera"])
    assert scene.condition("camera") == Condition.GONE
    assert scene.watchdog.modes() == {"no_camera": "camera died: exit code 1"}


def test_what_nodes_say_themselves_and_nodes_that_are_not_active_are_modes_too():
    scene = Scene("camera", "perception", "body")
    scene.pass_(0.1, ["camera"], lifecycle=2)
    scene.pass_(0.1, ["body"], said=("no_touch: 19 of 19 pads are dead", "no_camera: nothing seen for 3 s"))
    assert scene.watchdog.modes() == {
        "no_camera": "camera is inactive; body: nothing seen for 3 s",
        "no_touch": "body: 19 of 19 pads are dead",
    }


@pytest.mark.parametrize(
    ("row", "restarts", "on_death", "stops_all", "verdict"),
    [
        (CAMERA, 0, "policy", True, Verdict(False, 0.5, False)),
        (CAMERA, 1, "policy", True, Verdict(False, 1.0, False)),
        (CAMERA, 2, "policy", True, Verdict(False, None, False)),
        (BODY, 0, "policy", True, Verdict(True, 0.1, False)),
        (BODY, 1, "policy", True, Verdict(True, None, True)),
        (Policy(), 0, "policy", True, Verdict(True, None, True)),
        (Policy(), 0, "policy", False, Verdict(False, None, False)),
        (CAMERA, 0, "stop", True, Verdict(True, None, True)),
        (BODY, 2, "restart", True, Verdict(False, 0.0, False)),
        (BODY, 3, "restart", True, Verdict(True, None, True)),
    ],
)
def test_what_follows_from_a_death(row, restarts, on_death, stops_all, verdict):
    assert judge(row, restarts, on_death, stops_all) == verdict


def test_of_several_nodes_in_a_process_the_strictest_counts():
    row = TABLE.strictest(["camera", "body"])
    assert (row.on_loss, row.restarts) == ("hold", 1)
    assert TABLE.strictest(["camera", "stranger"]).on_loss == "stop_all"


def test_the_table_covers_every_node_and_each_loss_is_noticed_in_half_a_second():
    table = policy.load()
    assert set(table.nodes) == set(graph.table()["nodes"])
    assert max(row.silent for row in table.nodes.values()) <= 0.5
    for name in ("sim", "body_control", "l_hand_control", "r_hand_control"):
        assert table.nodes[name].stops


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("nodes: {a: {silent: 1.0, on_loss: laugh}}", "one of degrade, settle, hold, stop_all"),
        ("nodes: {a: {silent: 1.0, on_loss: hold, mode: x}}", "not explained"),
        ("nodes: {a: {silent: 0.0, on_loss: hold, mode: m}}", "silent > 0"),
        ("nodes: {a: {silent: 1.0, kill: 0.5, on_loss: hold, mode: m}}", "kill 0 or >= silent"),
        ("nodes: {a: {loud: 1.0}}", "loud"),
        ("nodes: [", "cannot read"),
    ],
)
def test_a_broken_table_is_named(tmp_path: Path, text, complaint):
    file = tmp_path / "supervision.yaml"
    file.write_text(text + "\nmodes: {m: means}\n")
    with pytest.raises(NeoError, match=complaint):
        policy.load(file)
