"""A fleet's page in a real headless browser: what it shows, and that it follows the fleet."""

import copy
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright
from test_fleet_command import ROW

from neo_bringup.bench.browser import FLAGS
from neo_bringup.console import fleet_drawings
from neo_bringup.fleet.settings import Place, Settings
from neo_flywheel import files

ROOT = Path(__file__).parents[3]
PATIENCE = 30_000  # ms: a deadline, not a wait; software rendering on a busy machine is slow


def tell(place, *every, said=""):
    files.write_json(place.root / "fleet.json", {"rounds": list(every)})
    files.write_json(place.root / "progress.json", {"said": said})


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path / "fleet")
    place.save(Settings(robots=2, model="models/toy"))
    tell(place, ROW, said="round 1: done")
    return place


@pytest.fixture
def page(place, chromium):
    words = [sys.executable, "-m", "neo_bringup.cli", "fleet", "show", str(place.root), "--port", "0"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        line = process.stdout.readline()
        assert line.startswith("fleet: http://127.0.0.1:"), line + process.stderr.read()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
            page = browser.new_page(viewport={"width": 1100, "height": 900})
            page.goto(line.split()[1])
            yield page
            browser.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def test_the_page_shows_rounds_and_follows_a_fleet_that_runs(page, place):
    def says(locator, text):
        expect(page.locator(locator)).to_contain_text(text, timeout=PATIENCE)

    says("[data-said]", "round 1: done")
    says('tr[data-round="1"]', "40 % [20, 60]")
    says('tr[data-round="1"]', "2 ep, 1.5 MB")
    says('tr[data-round="1"]', "2 × 0")
    says("body", "the gate refused: success 0.1 is less than 0.4")
    says("body", "neo_2 keeps its data: no consent to clips")
    chart = page.locator('svg[aria-label="success by round"] title')
    expect(chart).to_have_text([re.compile("40% ")] * 2, timeout=PATIENCE)

    after = {"version": "2", "value": 0.7, "low": 0.5, "high": 0.9, "trials": 20}
    second = copy.deepcopy(ROW) | {"round": 2, "after": after, "versions": {"neo_1": "2", "neo_2": "0"}}
    second["gate"] = {"passed": True, "reasons": [], "notes": [], "figures": {}}
    tell(place, ROW, second, said="round 2: 1 of 2 robots had their turn (prompts)")
    says("[data-said]", "round 2: 1 of 2 robots had their turn (prompts)")
    says('tr[data-round="2"]', "1 × 0, 1 × 2")
    says("body", "the gate passed: all checks hold")
    expect(chart).to_have_text([re.compile("40% "), re.compile("40% "), re.compile("70% ")], timeout=PATIENCE)


def test_a_fleet_that_has_not_begun_is_drawn_too():
    drawn = fleet_drawings.parts("runs/fleet", Settings(), [], "")
    assert set(drawn) == set(fleet_drawings.PARTS)
    assert "not begun" in drawn["now"]


def test_what_was_said_is_text_and_never_markup():
    row = copy.deepcopy(ROW) | {"errors": {"neo_1": ["<script>alert(1)</script>"]}}
    drawn = "".join(fleet_drawings.parts("<b>", Settings(), [row], "<i>").values())
    assert "<script>" not in drawn
    assert "<b>:" not in drawn
    assert "&lt;i&gt;" in drawn
