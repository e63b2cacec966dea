"""What the console's panels say, without ROS or browser: consequences, depth, curves, models, tendons."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import viser
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from neo_bringup.console import charts, depth, drawings, expectations, models, series, splash, tendon_view
from neo_bringup.console.snapshot import HandView, Health, Snapshot
from neo_description.builder import build_robot
from neo_description.errors import NeoError
from neo_description.signals import Consequence, Consequences
from neo_description.tables import BODY, HAND, JOINTS
from neo_flywheel.update.manifest import MANIFEST, Content, Release
from neo_flywheel.update.slots import Home, Slot, State

BAD = "<script>alert(1)</script>"


def foretold(*events, age=0.1):
    return Snapshot(consequences=Consequences(0.0, 0.8, list(events)), consequences_age=age)


def test_each_foretold_event_is_a_bar_as_long_as_its_chance():
    drawn = expectations.consequences(
        foretold(Consequence("falls", 0.7, 0.5, True), Consequence("hidden", 0.1, float("nan"), False)), 3.0
    )
    assert 'data-event="falls"><div style="width:70%' in drawn
    assert "will fall" in drawn
    assert "70 %, likely in 0.5 s" in drawn
    assert "10 %, not calibrated" in drawn
    assert drawings.HEALTH_COLOUR[Health.ERROR] in drawn


def test_a_chance_that_is_no_number_is_said_to_be_unknown():
    drawn = expectations.consequences(foretold(Consequence("slips", float("nan"), float("nan"), True)), 3.0)
    assert "width:0%" in drawn
    assert "<small>?</small>" in drawn


def test_consequences_vanish_when_the_world_model_falls_silent():
    event = Consequence("falls", 0.7, 0.5, True)
    assert expectations.consequences(foretold(event, age=9.0), 3.0) == ""
    assert expectations.consequences(foretold(), 3.0) == ""


def test_depth_is_warm_near_cool_far_and_grey_where_unknown():
    picture = depth.coloured(np.array([[0.3, 2.4, np.nan, 0.0]], np.float32))
    near, far, unknown, none = picture[0].astype(int)
    assert near[2] > near[0]  # BGR
    assert far[0] > far[2]
    assert tuple(unknown) == tuple(none) == depth.UNKNOWN


def test_a_large_depth_picture_is_drawn_small_and_names_what_is_nearest():
    metres = np.full((480, 640), 1.5, np.float32)
    metres[100, 100] = 0.42
    assert depth.coloured(metres).shape == (240, 320, 3)
    assert "nearest 0.42 m" in depth.drawn(metres)
    assert "no depth heard" in depth.drawn(None)


def test_curves_keep_the_last_seconds_and_begin_anew_when_the_clock_goes_back():
    history = series.History(seconds=10.0)
    for time in np.arange(0.0, 30.0, 0.5):
        history.add(time, {"surprise": time})
    ago, values = history.table(("surprise", "grip/l"))
    assert ago[0] == pytest.approx(-10.0)
    assert ago[-1] == 0.0
    assert values[-1, 0] == 29.5
    assert np.isnan(values[:, 1]).all()
    history.add(3.0, {"surprise": 0.1})  # a replay went back
    assert history.table(("surprise",))[1].tolist() == [[0.1]]


def test_what_was_not_heard_is_no_line_and_is_said():
    group = series.GROUPS["Grip"]
    hand = HandView(np.zeros((19, 3)), np.ones(19, bool), HAND.pretension)
    hand.taxel_force[0] = 6.0, 0.0, 0.0
    history = series.History()
    for time in (1.0, 2.0):
        history.add(time, series.values(Snapshot(hands={"l": hand}), None))
    drawn = charts.curves(*history.table(tuple(group.lines)), group)
    assert "left 6 N" in drawn
    assert "right not heard" in drawn
    assert "nan" not in drawn
    assert "not heard" in charts.curves(*series.History().table(tuple(group.lines)), group)


def test_curves_know_the_balance_and_the_highest_tension():
    body = BODY.pretension.copy()
    body[3] = 0.5 * BODY.tension_max[3]
    point = series.values(Snapshot(body_tension=body), np.array([0.02, -0.01]))
    assert point["tension/body"] == pytest.approx(50.0)
    assert (point["com/ahead"], point["com/left"]) == pytest.approx((2.0, -1.0))
    assert np.isnan(point["surprise"])
    assert {name for group in series.GROUPS.values() for name in group.lines} == set(point)


def release(version):
    return Release("stable", version, {MANIFEST: Content(10, "ab" * 32)})


def test_the_update_state_is_read_when_it_changes(tmp_path):
    updates = models.Updates(str(tmp_path))
    updates.look()
    assert "nothing was installed" in models.drawn("", updates, "")
    state = State(
        active="a", trial=True, slots={"a": Slot(release("1.2.0")), "b": Slot(release("1.1.0"), True)}
    )
    state.refused = {"1.3.0@ffffffff": "it answers differently"}
    state.note(datetime(2026, 11, 28, 9, 30, tzinfo=UTC), f"switched to {BAD}")
    Home(tmp_path).save(state)
    updates.look()
    drawn = models.drawn("slots/a", updates, "")
    assert "1.2.0@abababab, in use, on trial" in drawn
    assert "1.1.0@abababab, good" in drawn
    assert "1.3.0@ffffffff: it answers differently" in drawn
    assert "2026-11-28 09:30" in drawn
    assert "<script" not in drawn
    (tmp_path / "state.json").write_text("{")
    updates._stamp = None
    updates.look()
    assert str(tmp_path) in models.drawn("", updates, "")


@pytest.mark.parametrize("address", ["javascript:alert(1)", "file:///etc/passwd", "robot:8080", "http://"])
def test_a_fleet_page_is_only_linked_on_the_web(address):
    with pytest.raises(NeoError, match="no address of a page"):
        models.fleet_address(address)


def test_the_fleet_page_is_linked_and_its_address_cannot_become_markup():
    address = models.fleet_address('http://fleet.local/"><script>')
    drawn = models.drawn("neo", models.Updates(""), address)
    assert 'href="http://fleet.local/&quot;&gt;&lt;script&gt;"' in drawn
    assert "<script" not in drawn


@pytest.fixture(scope="module")
def model():
    return build_robot(tendons=False).compile()


def test_every_joint_has_its_pair_of_tendons_beside_its_axis(model):
    pairs = tendon_view.pairs(model)
    assert {pair.joint for pair in pairs} == set(JOINTS)
    for pair in pairs:
        joint = model.joint(pair.joint)
        plus, minus = pair.points.mean(axis=1) - joint.pos
        assert plus @ minus < 0.0  # on either side
        assert np.linalg.norm(pair.points[0, 1] - pair.points[0, 0]) > 0.01


def test_a_pull_at_the_plus_tendon_turns_the_joint_forwards(model):
    pair = next(pair for pair in tendon_view.pairs(model) if pair.joint == "l_elbow_pitch")
    joint = model.joint(pair.joint)
    start, end = pair.points[0] - joint.pos
    # the far end is pulled towards the near one; the bone lies on the side of the far end
    torque = np.cross(end, start - end)
    assert torque @ joint.axis > 0.0


class Strip:
    def __init__(self):
        self.told = 0

    def __setattr__(self, name, value):
        if name == "colors":
            object.__setattr__(self, "told", self.told + 1)
        object.__setattr__(self, name, value)


class Lines:
    def __init__(self):
        self.strips = {}

    def add_line_segments(self, name, points, colors, thickness):
        assert np.shape(colors) == np.shape(points)
        self.strips[name.rpartition("_tendons_")[2] or name] = strip = Strip()
        return strip


def test_only_tendons_whose_colour_changed_are_sent(model):
    scene = Lines()
    view = tendon_view.TendonView(scene, model, lambda body: f"/{body}")
    snapshot = Snapshot(body_tension=BODY.pretension.copy())
    view.put(snapshot)
    before = {name: strip.told for name, strip in scene.strips.items()}
    snapshot.body_tension = snapshot.body_tension + 1e-3
    snapshot.body_tension[2 * BODY.index("l_knee_pitch")] = BODY.tension_max[2 * BODY.index("l_knee_pitch")]
    view.put(snapshot)
    told = [name for name, strip in scene.strips.items() if strip.told != before[name]]
    assert len(told) == 1
    assert "l_knee_pitch" in told[0]
    red, green, blue = scene.strips[told[0]].colors[0, 0]
    assert red > 2 * max(green, blue)


def answer(path, body, encoding="identity"):
    headers = Headers({"Content-Length": str(len(body)), "Content-Encoding": encoding})
    given = Response(200, "OK", headers, body)
    return splash.splashed(lambda _, __: given)(None, Request(path, Headers()))


def test_the_splash_stands_before_the_program_of_viser_s_own_page():
    page = (Path(viser.__file__).parent / "client" / "build" / "index.html").read_bytes()
    program = splash.PROGRAM.search(page)[0]
    shown = answer("/?x=1", page)
    assert int(shown.headers["Content-Length"]) == len(shown.body)
    assert shown.body.count(program) == 1
    assert shown.body.index(b"data-splash") < shown.body.index(program)
    assert shown.body.index(b"<body>") < shown.body.index(b"data-splash")


def test_another_page_goes_through_as_it_is():
    assert answer("/", b"<html></html>").body == b"<html></html>"
    assert answer("/other.js", splash.ROOT).body == splash.ROOT
    assert splash.splashed(lambda _, __: None)(None, Request("/", Headers())) is None
