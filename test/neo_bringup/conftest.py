"""Tiny nodes to launch, each test in a ROS domain of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

NODES = Path(__file__).with_name("tiny_nodes")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def write_launch(tmp_path):
    """Writes a launch file of (name, tiny node, arguments) rows."""

    def write(rows, name="tiny.launch.xml", before=""):
        nodes = "\n".join(
            f'<node exec="{sys.executable}" name="{node}" args="{NODES / script}.py {arguments}"'
            ' on_exit="shutdown"/>'
            for node, script, arguments in rows
        )
        file = tmp_path / name
        file.write_text(f'<launch>\n<arg name="namespace" default=""/>\n{before}\n{nodes}\n</launch>\n')
        return file

    return write


@pytest.fixture
def start_up(ros_domain, tmp_path):
    """Starts ``neo up`` on a launch file as a process of its own; what is left is killed at the end."""
    started = []

    def start(file, *words):
        code = (
            "import argparse, sys\n"
            "from neo_bringup.commands import up\n"
            "from neo_description.errors import NeoError\n"
            "parser = argparse.ArgumentParser(); up.add_arguments(parser)\n"
            "try:\n    sys.exit(up.run(parser.parse_args()))\n"
            "except NeoError as error:\n    sys.exit(f'neo: {error}')\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code, "--runner", "own", "--file", str(file), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env=os.environ | {"ROS_DOMAIN_ID": str(ros_domain)},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def read_until():
    return _read_until


def _read_until(process, text, limit=400):
    """Lines of ``process`` up to the one with ``text``; fails when the output ends before it."""
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if text in line:
            return lines
        assert len(lines) < limit, lines
    raise AssertionError(f"{text!r} never came; the output was:\n" + "\n".join(lines))
