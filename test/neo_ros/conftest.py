"""Small node programs in processes of their own."""

import subprocess
import sys
import textwrap

import pytest


@pytest.fixture
def start_program(ros_domain, tmp_path):
    """Starts Python source as a process; what is left at the end is killed."""
    started = []

    def start(source, *words):
        file = tmp_path / f"program{len(started)}.py"
        file.write_text(textwrap.dedent(source))
        process = subprocess.Popen(
            [sys.executable, file, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
