"""A stage is done once, goes on after a kill, and is never mixed with one of other inputs."""

import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from neo_description.errors import NeoError
from neo_flywheel.learning import stage

KILLED = """
import os, signal, sys
from pathlib import Path
from neo_flywheel.learning import stage

def work(place):
    (place / "half").write_text("done")
    os.kill(os.getpid(), signal.SIGKILL)

stage.done(Path(sys.argv[1]), "train", {"steps": 5}, work, print)
"""


def never(place):
    raise AssertionError("this was done before")


def quiet(line):
    pass


def test_a_stage_that_is_done_is_not_done_again(tmp_path):
    first = stage.done(tmp_path, "train", {"steps": 5}, lambda place: {"loss": 0.1, "at": [1, 2]}, quiet)
    assert first == {"loss": 0.1, "at": [1, 2]}
    assert stage.done(tmp_path, "train", {"steps": 5}, never, quiet) == first


def test_a_killed_stage_goes_on_in_its_folder(tmp_path):
    root = str(Path(__file__).parents[3])
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path], cwd=root, check=False)
    assert killed.returncode == -signal.SIGKILL

    def work(place):
        return {"found": (place / "half").read_text()}

    assert stage.done(tmp_path, "train", {"steps": 5}, work, quiet) == {"found": "done"}


def test_a_failed_stage_is_not_done(tmp_path):
    def work(place):
        raise NeoError("no data")

    with pytest.raises(NeoError, match="no data"):
        stage.done(tmp_path, "train", {}, work, quiet)
    assert stage.done(tmp_path, "train", {}, lambda place: {"n": 1}, quiet) == {"n": 1}


@pytest.mark.parametrize("finished", [True, False])
def test_other_inputs_are_refused_by_name(tmp_path, finished):
    def work(place):
        if not finished:
            raise KeyboardInterrupt
        return {}

    with nullcontext() if finished else pytest.raises(KeyboardInterrupt):
        stage.done(tmp_path, "train", {"steps": 5, "seed": 1}, work, quiet)
    with pytest.raises(NeoError, match=r"steps 5 \(now 6\)"):
        stage.done(tmp_path, "train", {"steps": 6, "seed": 1}, never, quiet)


def test_two_processes_do_not_work_on_one_stage(tmp_path):
    def work(place):
        with pytest.raises(NeoError, match="another process works on the stage train"):
            stage.done(tmp_path, "train", {}, never, quiet)
        return {}

    stage.done(tmp_path, "train", {}, work, quiet)
