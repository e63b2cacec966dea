"""make setup: incremental, names what is missing, leaves no stamp of a failed step."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECK = ROOT / "tools" / "check_system.sh"


@pytest.fixture
def bare_path(tmp_path):
    """A PATH with the programs the check itself needs, and no compiler."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "python3", "grep", "ldconfig", "env"):
        found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
        if found:
            (folder / name).symlink_to(found)
    return str(folder)


def check(python, path):
    environment = {"PATH": path, "HOME": "/"}
    return subprocess.run(
        ["/bin/bash", CHECK, python], env=environment, capture_output=True, text=True, timeout=30
    )


def test_a_missing_compiler_is_named_with_the_command_that_installs_it(bare_path):
    done = check("python3", bare_path)
    assert done.returncode == 1
    assert "setup: no C++ compiler" in done.stderr
    assert "sudo apt install" in done.stderr
    assert "g++" in done.stderr.splitlines()[-1] or "g++" in done.stderr


def test_a_missing_python_is_named(bare_path):
    done = check("/no/such/python", bare_path)
    assert done.returncode == 1
    assert "no Python 3.11 or newer (/no/such/python)" in done.stderr


def test_this_machine_passes():
    python = shutil.which("python3.11") or shutil.which("python3")
    assert check(python, os.environ["PATH"]).returncode == 0


def test_a_failed_step_leaves_no_stamp_and_one_reason(tmp_path):
    for name in ("Makefile", "tools", "requirements", "neo_msgs", "setup.py"):
        source = ROOT / name
        shutil.copytree(source, tmp_path / name) if source.is_dir() else shutil.copy(source, tmp_path)
    done = subprocess.run(
        ["make", "setup", "PYTHON=/no/such/python"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "no Python 3.11 or newer" in done.stderr
    assert not list(tmp_path.glob(".venv/.stamps/*"))


def test_the_default_target_is_help():
    done = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    for target in ("setup", "test", "demo", "lint", "build", "clean"):
        assert f"make {target}" in done.stdout


def test_import_contracts_notice_a_core_that_imports_ros(tmp_path):
    for room in ROOT.glob("neo_*/__init__.py"):
        if room.parent.name != "neo_msgs":
            shutil.copytree(room.parent, tmp_path / room.parent.name)
    shutil.copy(ROOT / ".importlinter", tmp_path)
    (tmp_path / "neo_task" / "sneaky.py").write_text("import rclpy\nimport neo_sim\n")
    linter = Path(sys.prefix) / "bin" / "lint-imports"
    done = subprocess.run([linter, "--no-cache"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "neo_task.sneaky -> rclpy" in done.stdout
    assert "neo_task.sneaky -> neo_sim" in done.stdout
