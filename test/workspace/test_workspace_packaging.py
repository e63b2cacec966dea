"""What colcon and pip install, and that it is all there."""

import ast
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from neo_ros.environment import without_bootstrap

ROOT = Path(__file__).parents[2]
SCRIPTS = [
    entry
    for entry in importlib.metadata.entry_points(group="console_scripts")
    if entry.dist is not None and entry.dist.name.replace("-", "_") == "neo_humanoid"
]


def functions(module):
    spec = importlib.util.find_spec(module)
    assert spec is not None, f"no module {module}"
    assert spec.origin is not None
    return {
        node.name
        for node in ast.parse(Path(spec.origin).read_text()).body
        if isinstance(node, ast.FunctionDef)
    }


def tracked():
    """Files of the checkout, without what .gitignore names; a plain source archive has no git."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode == 0:
        return [path for path in map(Path, done.stdout.splitlines()) if (ROOT / path).is_file()]
    skipped = {".venv", ".venv-jazzy", "build", "install", "log", "runs", ".git"}
    files = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return [path for path in files if path.parts[0] not in skipped and "__pycache__" not in path.parts]


def test_the_console_scripts_are_installed():
    names = {entry.name for entry in SCRIPTS}
    assert {"neo", "sim_node", "camera_node", "body_control_node", "hand_control_node", "task_node"} <= names


@pytest.mark.parametrize("entry", SCRIPTS, ids=lambda entry: entry.name)
def test_every_console_script_leads_to_a_function(entry):
    module, function = entry.value.split(":")
    assert function in functions(module)


def test_both_packages_have_format_3_one_version_and_the_licence():
    versions = set()
    for file in (ROOT / "package.xml", ROOT / "neo_msgs" / "package.xml"):
        root = ElementTree.parse(file).getroot()
        assert root.get("format") == "3"
        assert root.findtext("license") == "Apache-2.0"
        versions.add(root.findtext("version"))
    assert versions == {importlib.metadata.version("neo_humanoid")}


def test_every_interface_package_of_the_graph_is_a_dependency():
    from neo_ros import graph

    declared = {node.text for node in ElementTree.parse(ROOT / "package.xml").iter("depend")}
    used = {
        row["type"].split("/")[0]
        for kind in ("topics", "services", "actions")
        for row in graph.table()[kind].values()
    }
    assert used <= declared


def test_pip_installs_a_wheel_that_carries_data_and_launch_files(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    for path in tracked():
        (source / path.parent).mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, source / path)
    (source / "models" / "neo").mkdir(parents=True, exist_ok=True)
    (source / "models" / "neo" / "model.json").touch()
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
         "--target", str(target), str(source)],
        check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    missing = [
        path for path in tracked()
        if path.parts[0].startswith("neo_") and path.parts[0] != "neo_msgs"
        and path.suffix in (".py", ".yaml", ".xml") and not (target / path).is_file()
    ]  # fmt: skip
    assert missing == []
    for name in ("launch/neo.launch.xml", "config/neo.yaml", "rviz/neo.rviz", "package.xml"):
        assert (target / "share" / "neo_humanoid" / name).is_file()
    assert (target / "share/ament_index/resource_index/packages/neo_humanoid").is_file()
    done = subprocess.run(
        [sys.executable, "-P", "-c", "import neo_ros.graph as g; print(g.GRAPH_YAML)\n"
         "from neo_world_model import shipped; print(shipped.model())"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(target)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        str(target / "neo_description" / "graph.yaml"),
        str(target / "share" / "neo_humanoid" / "models" / "neo"),
    ], done.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_colcon_builds_and_tests_both_packages(tmp_path):
    """As on a ROS 2 machine; about half a minute of compiling. Of the tests a few: the others run here."""
    done = subprocess.run(
        ["bash", ROOT / "tools" / "colcon_build.sh", tmp_path],
        env=without_bootstrap(), capture_output=True, text=True, timeout=840,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Summary: 2 packages finished" in done.stdout + done.stderr
    humanoid = tmp_path / "install" / "neo_humanoid"
    assert {entry.name for entry in SCRIPTS} <= {
        file.name for file in (humanoid / "lib" / "neo_humanoid").iterdir()
    }
    for name in ("package.xml", "launch/neo.launch.xml", "config/neo.yaml", "rviz/neo.rviz"):
        assert (humanoid / "share" / "neo_humanoid" / name).is_file()
    code = (
        "import neo_msgs, neo_ros.graph as g\n"
        "assert g.interface('neo_msgs/msg/BodyState')._TYPE_SUPPORT is None\n"
        "g.interface('neo_msgs/msg/BodyState').__class__.__import_type_support__()\n"
        "print(neo_msgs.__file__, g.__file__)"
    )
    words = f'. {tmp_path}/install/local_setup.sh && {sys.executable} -P -c "{code}"'
    run = subprocess.run(["sh", "-c", words], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert run.stdout.count(str(tmp_path)) == 2, run.stderr
    tests = subprocess.run(
        ["bash", ROOT / "tools" / "colcon_test.sh", tmp_path, "test/neo_ros/test_ros_graph.py"],
        env=without_bootstrap(), capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    said = tests.stdout + tests.stderr
    assert tests.returncode == 0, said[-3000:]
    assert "0 errors, 0 failures" in said
    assert "Summary: 0 tests" not in said


def test_the_fallback_gives_way_to_a_tf2_msgs_that_is_there(tmp_path):
    """make setup on a machine with ROS 2 sourced must not overlay the real package."""
    marker = tmp_path / "share" / "ament_index" / "resource_index" / "packages" / "tf2_msgs"
    marker.parent.mkdir(parents=True)
    marker.touch()
    done = subprocess.run(
        ["bash", ROOT / "tools" / "build_interfaces.sh", "tf2_msgs", "neo_msgs/tf2_msgs_fallback"],
        env={**os.environ, "AMENT_PREFIX_PATH": str(tmp_path)}, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.stdout == f"setup: tf2_msgs is in {tmp_path}\n"
