"""What nobody shall write into this repository, found by reading it."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = sorted(path.parent for path in ROOT.glob("neo_*/__init__.py"))
SOURCES = sorted(file for room in ROOMS for file in room.rglob("*.py"))


def test_no_module_holds_two_ideas():
    """Past 400 lines it is two (docs: STYLE); split it."""
    long = {
        str(file.relative_to(ROOT)): n for file in SOURCES if (n := len(file.read_text().splitlines())) > 400
    }
    assert long == {}


def test_every_module_says_what_it_is():
    silent = [
        str(file.relative_to(ROOT)) for file in SOURCES if not ast.get_docstring(ast.parse(file.read_text()))
    ]
    assert silent == []


def test_only_the_events_executor_is_used():
    """The multi-threaded one starves at 500 Hz, the single-threaded one costs two to three times as much."""
    other = re.compile(
        r"SingleThreadedExecutor|MultiThreadedExecutor|rclpy\.spin\(|rclpy\.spin_once|rclpy\.spin_until"
    )
    found = [str(file.relative_to(ROOT)) for file in SOURCES if other.search(file.read_text())]
    assert found == []


def test_control_never_comes_from_a_timer():
    """A state with tick k makes the command for tick k, in its callback."""
    for room in ("neo_body_control", "neo_hand_control"):
        for file in (ROOT / room).glob("node.py"):
            published = re.findall(r"create_timer\([^)]*\)", file.read_text())
            assert not [call for call in published if "command" in call or "control" in call], file


@pytest.mark.parametrize("room", ["neo_perception", "neo_body_control", "neo_hand_control"])
def test_no_privileged_truth_where_the_robot_perceives_or_acts(room):
    """A bench scores against the truth; nothing else in these rooms may know it."""
    files = [file for file in (ROOT / room).rglob("*.py") if not file.stem.startswith("bench")]
    assert files
    assert [str(file) for file in files if re.search(r"privileged|PrivilegedState", file.read_text())] == []


def test_no_registry_is_named():
    """Where packages come from is the user's pip configuration."""
    texts = [
        *ROOT.glob("requirements/*.txt"),
        ROOT / "Makefile",
        ROOT / "pyproject.toml",
        *ROOT.glob("tools/*.sh"),
    ]
    assert [
        str(file) for file in texts if re.search(r"index-url|pypi\.org|https?://", file.read_text())
    ] == []


def test_shell_scripts_parse():
    for file in [*ROOT.glob("tools/*.sh"), ROOT / ".ci" / "run"]:
        assert subprocess.run(["bash", "-n", str(file)]).returncode == 0, file
