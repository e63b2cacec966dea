"""What nobody shall write into this repository, found by reading it."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = sorted(path.parent for path in ROOT.glob("neo_*/__init__.py"))
SOURCES = sorted(file for room in ROOMS for file in room.rglob("*.py"))
# code that runs what it reads
FORBIDDEN_CALLS = {"eval", "exec", "yaml.load", "yaml.unsafe_load", "os.system", "os.popen", "torch.load"}
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "shelve", "marshal", "joblib"}


def name_of(node):
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def faults(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if name_of(node.func) in FORBIDDEN_CALLS:
                yield node.lineno, name_of(node.func)
            for keyword in node.keywords:
                if keyword.arg == "shell" and getattr(keyword.value, "value", True) is not False:
                    yield node.lineno, "shell=True"
                if keyword.arg == "allow_pickle" and getattr(keyword.value, "value", True) is not False:
                    yield node.lineno, "allow_pickle=True"
        if isinstance(node, ast.Import) and any(
            item.name.split(".")[0] in FORBIDDEN_MODULES for item in node.names
        ):
            yield node.lineno, "pickle"
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FORBIDDEN_MODULES:
            yield node.lineno, "pickle"


def test_the_search_finds_what_it_looks_for():
    bad = ["import pickle", "yaml.load(x)", "subprocess.run(a, shell=True)", "np.load(f, allow_pickle=True)"]
    assert sorted(line for line, _ in faults(ast.parse("\n".join(bad)))) == [1, 2, 3, 4]


def test_nothing_read_from_outside_is_run():
    found = [
        f"{file.relative_to(ROOT)}:{line} {what}"
        for file in SOURCES
        for line, what in faults(ast.parse(file.read_text()))
    ]
    assert found == []


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


def test_every_requirement_is_pinned():
    for file in ROOT.glob("requirements/*.txt"):
        for line in file.read_text().splitlines():
            assert not line or line.startswith("#") or re.fullmatch(r"[A-Za-z0-9._-]+==[\w.]+", line), (
                f"{file.name}: {line}"
            )


def test_shell_scripts_parse():
    for file in [*ROOT.glob("tools/*.sh"), ROOT / ".ci" / "run"]:
        assert subprocess.run(["bash", "-n", str(file)]).returncode == 0, file
