"""The tutorial as it is written: its own lines, one after another, with a real robot, bag and training."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
STAY = {"neo up": "[neo] up: ", "neo record": "recording into"}  # what goes on, and what it says when it does
OTHERS = ("git clone", "make ", "export ")  # what brought us here
SHORTER = {"--episodes 4": "--episodes 2", "held_out=3": "held_out=3 --set steps=12 --set evaluate_every=6"}


def steps():
    """The commands of each part, in order."""
    for part in TUTORIAL.read_text().split("\n## ")[1:]:
        lines = "".join(re.findall(r"^```\n(.*?)^```", part, re.MULTILINE | re.DOTALL)).splitlines()
        commands = [line.split(" #")[0].strip() for line in lines]
        yield part.splitlines()[0], [line for line in commands if line and not line.startswith(OTHERS)]


class Reader:
    """Runs lines of the tutorial in ``folder``; those that stay go on until :meth:`end`."""

    def __init__(self, folder):
        self.folder, self.staying = folder, []
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    def words(self, line):
        for long, short in SHORTER.items():
            line = line.replace(long, short)
        return [sys.executable, "-m", "neo_bringup.cli", *shlex.split(line)[1:]]

    def do(self, line):
        known = next((said for begin, said in STAY.items() if line.startswith(begin)), None)
        if known is not None:
            self.stay(line, known)
            return
        done = subprocess.run(
            self.words(line),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=250,
        )
        assert done.returncode == 0, f"{line}: {done.returncode}\n{done.stdout}\n{done.stderr}"

    def stay(self, line, known):
        log = self.folder / f"{len(self.staying)}.log"
        words = self.words(line) + (["console:=false"] if line.startswith("neo up") else [])
        with log.open("w") as stream:
            process = subprocess.Popen(
                words, cwd=self.folder, env=self.environment, stdout=stream, stderr=subprocess.STDOUT
            )
        self.staying.append(process)
        deadline = time.monotonic() + 120.0
        while known not in log.read_text():
            assert process.poll() is None, f"{line} ended: {log.read_text()}"
            assert time.monotonic() < deadline, f"{line}: {log.read_text()}"
            time.sleep(0.2)

    def end(self):
        """Ctrl-C, the last one first; the exit codes."""
        codes = []
        while self.staying:
            process = self.staying.pop()
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            codes.append(process.wait(timeout=60))
        return codes


@pytest.fixture
def reader(tmp_path, ros_domain):
    (tmp_path / "test").symlink_to(ROOT / "test")
    reader = Reader(tmp_path)
    yield reader
    for process in reader.staying:
        process.kill()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_works_as_it_is_written(reader):
    names = []
    for name, commands in steps():
        names.append(name)
        for line in commands:
            reader.do(line)
        if name.startswith("3."):
            assert reader.end() == [0, 0]
    assert reader.end() == [0]
    assert len(names) == 8
    made = reader.folder / "runs" / "tutorial"
    assert (made / "bag" / "metadata.yaml").is_file()
    assert (made / "model" / "act.onnx").is_file()
