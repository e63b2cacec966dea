"""What runs is no GPL, and what `make audit` says is what it found out."""

import json
import os
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
licences = runpy.run_path(str(ROOT / "tools" / "licences.py"))
audit = runpy.run_path(str(ROOT / "tools" / "audit.py"))
verdict = audit["verdict"]


@pytest.fixture(scope="module")
def installed():
    return licences["installed"]()


def test_all_that_the_requirements_pull_in_is_looked_at(installed):
    assert {"numpy", "ros-rclpy", "ros-fastdds", "ray", "urllib3"} <= set(installed)
    assert len(installed) > 150


def test_every_package_says_its_licence(installed):
    assert [name for name, package in installed.items() if not licences["licence"](name, package)] == []


def test_no_package_is_gpl_or_agpl(installed):
    said = {
        name: licences["licence"](name, package) for name, package in installed.items() if name != "docutils"
    }
    assert {name: text for name, text in said.items() if licences["viral"](text)} == {}


@pytest.mark.parametrize(
    "text",
    ["GPL-3.0-only", "AGPL-3.0", "GNU General Public License v2 (GPLv2)", "MIT AND GPL-2.0", "GNU Affero …"],
)
def test_the_gpl_is_known_by_its_names(text):
    assert licences["viral"](text)
    assert not licences["viral"]("LGPL-2.1, GNU Lesser General Public License v3, MIT, BSD, MPL-2.0")


@pytest.mark.skipif(sys.version_info[:2] != (3, 11) or "ROS_DISTRO" in os.environ, reason="made with .venv")
def test_the_table_is_what_is_installed():
    assert licences["PAGE"].read_text() == licences["page"](), "run tools/licences.py with .venv's Python"


def report(*rows):
    return json.dumps({"dependencies": list(rows)})


GOOD = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}
SKIPPED = {"name": "c", "skip_reason": "not found on PyPI"}


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        (report(GOOD), 0, "no known vulnerability in 1 packages"),
        (report(GOOD, BAD), 1, "b 2: CVE-1 (fixed in 3)"),
        (report(GOOD, SKIPPED), 2, "not asked for: c"),
        (report(SKIPPED, SKIPPED), 3, "NOTHING WAS CHECKED"),
        ("", 3, "NOTHING WAS CHECKED"),
        ("Traceback", 3, "no route"),
    ],
)
def test_an_audit_that_asked_nobody_is_no_good_audit(given, code, words):
    """Pinned: pip-audit says "No known vulnerabilities found", code 0, when it could ask for nothing."""
    said = verdict(given, "some\nno route")
    assert said[0] == code
    assert words in said[1]
