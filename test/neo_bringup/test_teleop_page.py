"""The teleoperation page in a real headless browser, before a stand-in robot over real DDS."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import console_fake_robot
import pytest
from playwright.sync_api import expect, sync_playwright

from neo_bringup.instance import claim_free_domain
from neo_bringup.stack import Stack
from neo_description.signals import HandAction, Safety
from neo_flywheel import metadata
from neo_ros import convert, graph

ROOT = Path(__file__).parents[2]
PATIENCE = 30_000  # ms: a deadline, not a wait
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]  # fmt: skip
# a busy machine may hold up a browser for long; what happens within 0.2 s is tested without one
PATIENT = {"link_timeout": 1.0, "late": 2.0, "port": 0}
HEADSET = Path(__file__).with_name("teleop_fake_headset.js")


def wait_until(condition, seconds=30.0):
    deadline = time.monotonic() + seconds
    tick = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        tick.wait(0.02)


class Robot:
    """The stand-in, and what it was commanded."""

    def __init__(self, folder):
        self.running = console_fake_robot.Running()
        self.running.robot.safety = Safety.ACTIVE
        self.stack = Stack("/", "listener")
        self.body, self.hands, self.engaged = [], [], []
        graph.subscription(self.stack.node, "whole_body/command", self.body.append)
        for side in "lr":
            graph.subscription(self.stack.node, f"{side}_hand/command", self.hands.append)
        graph.subscription(self.stack.node, "teleop/engaged", lambda m: self.engaged.append(m.data))
        words = [w for name, value in PATIENT.items() for w in ("-p", f"{name}:={value}")]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "neo_bringup.teleop_page.node", "--ros-args", *words],
            stdout=subprocess.PIPE, text=True, cwd=folder,
        )  # fmt: skip
        line = self.process.stdout.readline()
        assert line.startswith("teleop: http://127.0.0.1:"), line
        self.address = line.split()[1]

    def close(self):
        self.process.send_signal(signal.SIGINT)
        try:
            assert self.process.wait(20) == 0
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.stack.close()
            self.running.close()

    def rested(self):
        """No command comes any more: the last one is followed by states of the robot, and by nothing else."""
        ticks, count = self.running.robot._tick, len(self.body)
        wait_until(lambda: self.running.robot._tick > ticks + 6)
        return len(self.body) == count


@pytest.fixture(scope="module")
def robot(tmp_path_factory):
    number, claim = claim_free_domain(first=60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROS_DOMAIN_ID", str(number))
        patch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
        robot = Robot(tmp_path_factory.mktemp("operated"))
        yield robot
        robot.close()
    claim.close()


@pytest.fixture(scope="module")
def browser(chromium):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, robot):
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    page.asked, page.errors = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("websocket", lambda socket: page.asked.append(socket.url))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto(robot.address)
    expect(page.locator("#link")).to_have_text("linked", timeout=PATIENCE)
    yield page
    page.close()
    assert page.errors == []
    assert {urlsplit(url).hostname for url in page.asked} == {"127.0.0.1"}
    wait_until(lambda: not robot.engaged or not robot.engaged[-1])


def says(page, selector, text):
    expect(page.locator(selector)).to_contain_text(text, timeout=PATIENCE)


def begin(page, recorded=False):
    page.click("text=I agree: begin, recorded" if recorded else "text=Begin, nothing recorded")
    says(page, "#session", "you drive")


def clutch(side):
    return f'.hand[data-side="{side}"] .clutch'


def hold(page, side, until, also=()):
    """Space is held down, and pressed anew where the clutch let go: a busy machine loses links."""
    pressed = 0.0

    def done():
        nonlocal pressed
        said = page.locator(clutch(side)).inner_text()
        if said != "HELD" and time.monotonic() > pressed + 1.5:  # what a press does is shown a little later
            pressed = time.monotonic()
            for key in (" ", *also):
                page.keyboard.up(key)
            if said.startswith("ready"):
                for key in (" ", *also):
                    page.keyboard.down(key)
        return said == "HELD" and until()

    wait_until(done)


def test_nothing_moves_without_a_session_and_the_words_are_shown(page, robot):
    says(page, "#words", "the robot records what it senses and does")
    page.keyboard.down(" ")
    page.keyboard.down("w")
    assert robot.rested()
    page.keyboard.up(" ")
    assert robot.body == []


def test_keys_hold_and_move_a_hand_and_a_lost_page_lets_go(page, robot, browser):
    begin(page)
    says(page, "#recording", "not recorded")
    robot.body.clear()
    asked = lambda: [convert.pose(m.r_hand)[0, 3] for m in list(robot.body)]  # noqa: E731
    hold(page, "r", lambda: len(asked()) > 2 and asked()[-1] - asked()[0] > 0.02, also="w")
    says(page, clutch("l"), "ready")
    assert {m.use for m in robot.body} == {robot.body[0].USE_R_HAND}
    assert robot.engaged[-1]
    page.close()  # the button still down
    wait_until(lambda: not robot.engaged[-1])
    assert robot.rested()


def test_a_page_that_comes_back_does_not_take_hold_again(page, robot):
    says(page, "#ended", "the link to the page was lost")
    page.keyboard.down(" ")
    page.keyboard.down("w")
    page.click("text=Begin, nothing recorded")
    says(page, "#session", "you drive")
    assert robot.rested()  # down since before the session
    hold(page, "r", lambda: robot.engaged[-1])


def test_a_dragged_handle_holds_its_hand_while_it_is_dragged(page, robot):
    begin(page)
    robot.body.clear()
    box = page.locator('.hand[data-side="l"] .pad[data-drag="high"]').bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + 100
    page.mouse.move(x, y)
    pressed = 0.0

    def held():
        """Pressed anew where the clutch let go, as in :func:`hold`."""
        nonlocal pressed
        if page.locator(clutch("l")).inner_text() == "HELD":
            return True
        if time.monotonic() > pressed + 3.0:
            pressed = time.monotonic()
            page.mouse.up()
            page.mouse.down()
        return False

    wait_until(held, 60.0)
    for i in range(10):
        page.mouse.move(x, y - 4 * i)
    heights = lambda: [convert.pose(m.l_hand)[2, 3] for m in list(robot.body)]  # noqa: E731
    wait_until(lambda: len(heights()) > 2 and max(heights()) - min(heights()) > 0.02)
    page.mouse.up()
    says(page, clutch("l"), "ready: the operator let go")


def test_a_recorded_session_is_a_bag_that_says_who_drove(page, robot, tmp_path):
    begin(page, recorded=True)
    says(page, "#recording", "RECORDING")
    count = len(robot.body)
    # for some seconds: a recorder that has just come up may hear a moment later who moves the robot
    hold(page, "r", lambda: len(robot.body) > count + 150)
    page.keyboard.up(" ")
    page.click("#end")
    says(page, "#ended", "Recorded in ")
    folder = Path(page.locator("#ended").inner_text().split("Recorded in ")[1].rstrip("."))
    assert "teleop" in metadata.read_custom(folder)["provenance"]
    assert metadata.read_custom(folder)["task"].startswith("teleop: page")


def test_a_headset_that_sees_25_joints_moves_the_fingers(browser, robot):
    page = browser.new_page()
    page.add_init_script(path=HEADSET)
    page.goto(robot.address)
    try:
        says(page, "#link", "linked")
        begin(page)
        page.click("#headset")
        page.evaluate("xr.run()")
        hold(page, "r", lambda: robot.engaged[-1])
        robot.hands.clear()
        page.evaluate("xr.curl = 1.0")
        bends = lambda: [sum(m.joint_position) for m in list(robot.hands)]  # noqa: E731
        hold(page, "r", lambda: len(bends()) > 2 and max(bends()) - min(bends()) > 2.0)
        assert {m.action for m in robot.hands} == {int(HandAction.JOINTS)}
    finally:
        page.close()


def test_stop_needs_no_session(page, robot):
    page.click("#stop")
    robot.running.robot.wait_for(("runstop", True))
    says(page, "#robot", "STOP")
    page.click("#reset")
    robot.running.robot.wait_for(("runstop", False))
    page.click("#stand")
    says(page, "#robot", "ACTIVE")
