"""The console in a real headless browser, before a stand-in robot over real DDS."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import console_fake_robot
import pytest
import viser
import websockets.exceptions
import websockets.sync.client
from playwright.sync_api import expect, sync_playwright

from neo_bringup.bench.browser import FLAGS
from neo_bringup.console import access
from neo_bringup.instance import claim_free_domain

ROOT = Path(__file__).parents[2]
PATIENCE = 30_000  # ms: a deadline, not a wait; software rendering on a busy machine is slow
VIEWPORT = {"width": 900, "height": 420}  # small: the 3D picture is drawn by the processor
NODE = """
import sys
from rclpy.node import Node
from neo_ros.diagnostics import Diagnostics
from neo_ros.main import run
def make():
    node = Node(sys.argv[1])
    diagnostics = Diagnostics(node)
    # again and again: one warning is over after three reports, and discovery may take longer than those
    node.create_timer(0.5, lambda: diagnostics.warn("one pad is dead"))
    return node
run(make, args=[])
"""


@pytest.fixture(scope="module", autouse=True)
def domain():
    """A ROS domain of this module's own."""
    number, claim = claim_free_domain(first=60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROS_DOMAIN_ID", str(number))
        patch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        patch.setenv("PYTHONPATH", str(ROOT))
        yield number
    claim.close()


@pytest.fixture(scope="module")
def running(domain):
    running = console_fake_robot.Running()
    yield running
    running.close()


@pytest.fixture
def robot(running):
    running.robot.asked.clear()
    return running.robot


def start_console(port, **parameters):
    """The console as a process of its own; its first line is its address, or why there is none.

    Tendons in 3D are left out where nobody looks for them: without a GPU each is drawn by the processor.
    """
    command = [sys.executable, "-m", "neo_bringup.console.node", "--ros-args"]
    for name, value in {"port": port, "furniture": "''", "tendons": "false", **parameters}.items():
        command += ["-p", f"{name}:={value}"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=20)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            stream.close()


@pytest.fixture(scope="module")
def address(domain):
    process = start_console(port=0, tendons="true")
    line = process.stdout.readline()
    assert line.startswith("console: http://127.0.0.1:"), line + process.stderr.read()
    yield line.split()[1]
    end(process)
    assert process.returncode == 0


@pytest.fixture(scope="module")
def browser(chromium):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def requests():
    """Every address any page of this module asked for."""
    return []


@pytest.fixture(scope="module")
def page(browser, address, running, requests):
    page = open_page(browser, address, requests)
    yield page
    page.close()


def open_page(browser, address, requests):
    page = browser.new_page(viewport=VIEWPORT)
    page.on("request", lambda request: requests.append(request.url))
    page.on("websocket", lambda socket: requests.append(socket.url))
    page.goto(address)
    expect(page.locator(".neo-chip b").first).to_be_visible(timeout=PATIENCE)
    return page


def chip(page):
    return page.locator(".neo-chip")


def node_line(page, name):
    return page.locator(".neo-nodes span", has_text=name)


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click(timeout=PATIENCE)


def says(locator, text):
    expect(locator).to_contain_text(text, timeout=PATIENCE)


def test_the_page_shows_what_the_robot_says(page, robot):
    says(chip(page), "STOPPED")
    says(chip(page), "drives: hold")
    for side in ("left", "right"):
        picture = page.locator(f'[data-eye="{side}"] img')
        expect(picture).to_have_attribute("src", re.compile("^data:image/jpeg;base64,/9j/"), timeout=PATIENCE)
        expected = page.locator(f'[data-imagined="{side}"] img')
        expect(expected).to_have_attribute("src", re.compile("^data:image/png;base64,"), timeout=PATIENCE)
    says(page.locator("[data-surprise]"), "surprise 42 %, most by touch")
    says(page.locator(".neo-events"), "will fall70 %, likely in 0.5 s")
    depth = page.locator("[data-depth]")
    says(depth, "nearest 0.40 m")
    expect(depth.locator("img")).to_have_attribute("src", re.compile("^data:image/jpeg;base64,/9j/"))
    says(page.locator('svg[aria-label="pad forces"]'), "right hand: holding")
    page.get_by_role("tab", name="Body").click(timeout=PATIENCE)
    says(page.locator('[data-line="surprise"]'), "surprise 0.42")
    tendons = page.locator('svg[aria-label="tendon tensions"] title')
    expect(tendons).to_have_count(62 + 2 * 44, timeout=PATIENCE)
    says(tendons.first, " N")
    page.get_by_role("tab", name="Senses").click(timeout=PATIENCE)
    says(node_line(page, "sim"), "sim")
    says(node_line(page, "body_control"), "not running")


def test_the_pad_map_follows_the_forces_and_hatches_dead_pads(page, robot):
    patch = page.locator("rect", has=page.locator("title", has_text="l_thumb_distal:"))
    fill = re.compile("^#")
    robot.left_pads = {"thumb_distal": 0.0}
    says(patch, "0.00 N")
    pale = patch.get_attribute("fill")
    robot.left_pads = {"thumb_distal": 6.5}
    says(patch, "6.50 N")
    expect(patch).to_have_attribute("fill", fill, timeout=PATIENCE)
    assert patch.get_attribute("fill") != pale
    robot.left_pads = {"thumb_distal": None}
    expect(patch).to_have_attribute("fill", "url(#neo-dead)", timeout=PATIENCE)
    pads = page.locator('svg[aria-label="pad forces"]')
    says(pads, "1 dead")
    says(pads, "medium_wrap")
    says(pads, "/ 12.5 N")
    says(pads, "0.40")


def test_stand_asks_the_body_to_stand(page, robot):
    press(page, "Stand")
    robot.wait_for(("set_mode", "stand"))
    says(chip(page), "ACTIVE")
    says(chip(page), "drives: tension")


def test_a_prompt_typed_into_the_page_reaches_the_robot_and_its_progress_shows(page, robot):
    page.get_by_role("textbox").fill("pick up the <b>blue</b> cup")
    press(page, "Do it")
    robot.wait_for(("do_task", "pick up the <b>blue</b> cup"))
    says(page.locator("body"), "pick up the <b>blue</b> cup")
    says(page.locator("body"), "searching")
    robot.feedback = ("reach", 0.42, "hand 0.12 m away")
    says(page.locator("body"), "reach 42 %")
    robot.outcome = "holds the cup 0.11 m above the table"
    says(page.locator("body"), "holds the cup 0.11 m above the table")
    expect(page.get_by_role("button", name="Do it", exact=True)).to_be_visible(timeout=PATIENCE)


def test_enter_in_the_prompt_box_sends_it_too_and_cancel_ends_it(page, robot):
    robot.feedback = ("look", 0.1, "searching again")
    box = page.get_by_role("textbox")
    box.fill("pick up the red bottle")
    expect(box).to_have_value("pick up the red bottle")
    box.press("Enter")
    robot.wait_for(("do_task", "pick up the red bottle"))
    says(page.locator("body"), "searching again")
    press(page, "Cancel task")
    says(page.locator("body"), "not done: cancelled (cancelled)")


def test_stop_latches_the_stop_button_and_reset_releases_it(page, robot):
    press(page, "STOP")
    robot.wait_for(("runstop", True))
    says(chip(page), "RUNSTOP")
    press(page, "Stand")
    says(page.locator("body"), "Stand: refused: the stop button is latched; reset it first")
    assert robot.runstop
    press(page, "Reset")
    robot.wait_for(("runstop", False))
    says(chip(page), "STOPPED")


def test_on_a_phone_panels_collapse_and_stop_stays_in_reach(page, robot):
    stop = page.get_by_role("button", name="STOP", exact=True)
    page.set_viewport_size({"width": 390, "height": 844})
    try:
        senses = page.get_by_role("button", name="Expand panel Senses")
        senses.scroll_into_view_if_needed(timeout=PATIENCE)
        expect(page.locator('svg[aria-label="pad forces"]')).to_be_hidden()
        expect(stop).to_be_in_viewport(ratio=1.0)
        senses.click(timeout=PATIENCE)
        pads = page.locator('svg[aria-label="pad forces"]')
        expect(pads).to_be_visible(timeout=PATIENCE)
        page.get_by_text("Pad forces").scroll_into_view_if_needed(timeout=PATIENCE)  # the drawing is renewed
        expect(stop).to_be_in_viewport(ratio=1.0)
        stop.click(timeout=PATIENCE)
        robot.wait_for(("runstop", True))
        press(page, "Reset")
        robot.wait_for(("runstop", False))
    finally:
        page.set_viewport_size(VIEWPORT)


def test_a_browser_that_never_reads_holds_up_nobody(page, robot, address):
    with viser_client(address, max_queue=1):  # its own buffers fill, and then TCP's
        robot.reason = "beside a stuck browser"
        says(chip(page), "beside a stuck browser")
        press(page, "STOP")
        robot.wait_for(("runstop", True))
        says(chip(page), "RUNSTOP")
        press(page, "Reset")
        robot.wait_for(("runstop", False))


def viser_client(address, origin=None, **options):
    return websockets.sync.client.connect(
        address.replace("http", "ws"),
        origin=origin,
        subprotocols=[f"viser-v{viser.__version__}"],
        max_size=None,
        close_timeout=0.5,
        **options,
    )


def test_a_web_page_of_another_origin_is_refused(address):
    with pytest.raises(websockets.exceptions.InvalidStatus, match="403"):
        viser_client(address, origin="http://other.example")
    with viser_client(address, origin=address) as own:
        assert own.recv(timeout=20)


def test_a_node_that_is_killed_is_shown_before_its_lease_ends(page, robot):
    process = subprocess.Popen([sys.executable, "-c", NODE, "tactile"], cwd=ROOT, env=os.environ.copy())
    try:
        says(node_line(page, "tactile"), "warn: one pad is dead")
        process.kill()
        process.wait()
        expect(node_line(page, "tactile")).to_contain_text("silent: for", timeout=PATIENCE)
    finally:
        process.kill()
        process.wait()


def test_a_port_that_is_taken_is_one_clear_line(address):
    port = urlsplit(address).port
    process = start_console(port)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert out == ""
    assert len(errors.splitlines()) == 1
    assert f"port {port} on 127.0.0.1 cannot be used" in errors


def test_the_page_asks_nothing_of_other_hosts(page, requests):
    asked = {urlsplit(url).hostname for url in requests if urlsplit(url).scheme not in ("data", "blob")}
    assert len(requests) >= 2
    assert asked == {"127.0.0.1"}


def test_a_robot_that_falls_silent_is_shown(page, robot):
    robot.silent = True
    says(chip(page), "NO CONTACT")
    robot.silent = False
    says(chip(page), "STOPPED")
    page.close()  # the last test of this page: each page that is open costs a core for its 3D picture


def test_a_recording_is_replayed_and_commands_nothing(browser, robot, requests):
    bag = Path(__file__).parents[1] / "bags" / "standing"
    words = ["view", "--bag", str(bag), "--port", "0", "--furniture", ""]
    process = subprocess.Popen(
        [sys.executable, "-m", "neo_bringup.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        page = open_page(browser, process.stdout.readline().split()[-1], requests)
        says(page.locator("[data-replay]"), "REPLAYstanding")
        says(page.locator("[data-at]"), "0.0 of 1.9 s")
        for name in ("STOP", "Stand", "Reset", "Do it"):
            expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
        press(page, "Play")
        says(page.locator("[data-at]"), "1.9 of 1.9 s")  # and pauses there
        expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible(timeout=PATIENCE)
        box = page.get_by_role("textbox").first
        box.fill("0.1")
        box.press("Enter")
        says(page.locator("[data-at]"), "0.1 of 1.9 s")
        says(chip(page).nth(1), "STOPPED")
        box.fill("1.4")
        box.press("Enter")
        says(chip(page).nth(1), "ACTIVE")
        assert robot.asked == []
        page.close()
    finally:
        end(process)


def test_beyond_this_machine_the_token_opens_the_page(browser, robot, requests, tmp_path):
    made = access.create(tmp_path, ["127.0.0.1"], datetime.now(UTC))
    token = (made.folder / access.TOKEN).read_text().strip()
    process = start_console(port=0, access=tmp_path)
    try:
        own = process.stdout.readline().split()[1]
        assert own.startswith("https://127.0.0.1:")
        page = browser.new_page(ignore_https_errors=True, viewport=VIEWPORT)
        page.on("request", lambda request: requests.append(request.url))
        page.on("websocket", lambda socket: requests.append(socket.url))
        page.goto(own)
        page.locator("input").fill("x" * 43)
        press(page, "Open")
        says(page.locator("output"), "not this one")
        page.locator("input").fill(token)
        press(page, "Open")
        expect(chip(page).locator("b")).to_be_visible(timeout=PATIENCE)
        press(page, "STOP")
        robot.wait_for(("runstop", True))
        press(page, "Reset")
        robot.wait_for(("runstop", False))
        page.close()
    finally:
        end(process)
    assert any(url.startswith("wss://127.0.0.1:") for url in requests)
    assert not [url for url in requests if token in url]


def test_while_nobody_watches_the_console_subscribes_to_nothing(browser, running, requests):
    process = start_console(port=0)
    try:
        own = process.stdout.readline().split()[1]
        before = running.robot.count_subscribers("l_hand/state")
        page = open_page(browser, own, requests)
        wait_until(lambda: running.robot.count_subscribers("l_hand/state") == before + 1)
        page.close()
        wait_until(lambda: running.robot.count_subscribers("l_hand/state") == before)
    finally:
        end(process)


def wait_until(condition, seconds=30.0):
    deadline = time.monotonic() + seconds
    tick = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        tick.wait(0.05)


def test_a_console_without_a_robot_says_so_and_when_it_dies_too(browser, requests, monkeypatch):
    empty, claim = claim_free_domain(first=60)
    monkeypatch.setenv("ROS_DOMAIN_ID", str(empty))
    process = start_console(port=0)
    try:
        page = open_page(browser, process.stdout.readline().split()[1], requests)
        says(chip(page), "NO ROBOT")
        press(page, "STOP")
        says(page.locator("body"), "STOP: nobody serves")
        press(page, "Do it")
        says(page.locator("body"), "nobody serves do_task")
        lost = page.get_by_text("NO CONNECTION to the console")
        expect(lost).to_be_hidden()
        process.kill()
        expect(lost).to_be_visible(timeout=PATIENCE)
        page.close()
    finally:
        end(process)
        claim.close()
