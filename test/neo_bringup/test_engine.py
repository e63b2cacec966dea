"""Jobs give the same in processes and on a Ray cluster; what goes wrong names its job; nothing is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from neo_bringup import engine
from neo_description.errors import NeoError
from neo_flywheel.learning import stage

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=["local", "ray"])
def jobs(request):
    with engine.make(request.param, workers=2) as opened:
        yield opened


def fitted(job):
    """A stage that trains a little network, on one thread."""
    import torch

    folder, seed = job

    def work(place):
        generator = torch.Generator().manual_seed(seed)
        x = torch.randn(256, 64, generator=generator)
        layer = torch.nn.Linear(64, 64)
        with torch.no_grad():
            layer.weight.copy_(torch.randn(64, 64, generator=generator) / 8.0)
            layer.bias.zero_()
        optimizer = torch.optim.AdamW(layer.parameters(), lr=1e-2)
        for _ in range(20):
            loss = (layer(torch.tanh(x)) - x).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        np.save(place / "weights.npy", layer.weight.detach().numpy())
        return {"loss": float(loss.detach())}

    made = stage.done(Path(folder), f"fit-{seed}", {"seed": seed}, work, str)
    return made, os.getpid(), torch.get_num_threads()


def broken(job):
    if job == "bad":
        raise ValueError("no such world")
    if job == "refused":
        raise NeoError("the robot does not stand")
    if job == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    return job


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The same stages, in one process, one after the other."""
    folder = tmp_path_factory.mktemp("alone")
    code = "import sys; from test_engine import fitted\nfor s in range(4): fitted((sys.argv[1], s))"
    path = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, env=environment)
    return folder


def test_stages_give_the_same_bits_wherever_they_run(jobs, alone, tmp_path):
    given = [(str(tmp_path), seed) for seed in range(4)]
    made = dict(jobs.map(fitted, given))
    assert set(made) == set(given)
    assert {threads for _, _, threads in made.values()} == {1}
    assert os.getpid() not in {pid for _, pid, _ in made.values()}
    for seed in range(4):
        for name in ("weights.npy", stage.RESULT):
            file = Path(f"fit-{seed}") / name
            assert (tmp_path / file).read_bytes() == (alone / file).read_bytes()


def together(folder):
    """Waits until another job is there, too."""
    (Path(folder) / str(os.getpid())).touch()
    deadline = time.monotonic() + 60.0
    while len(list(Path(folder).iterdir())) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return os.getpid()


def test_jobs_run_side_by_side_in_processes_of_their_own(jobs, tmp_path):
    assert len({pid for _, pid in jobs.map(together, [str(tmp_path)] * 2)}) == 2


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ("bad", "job bad failed: ValueError: no such world"),
        ("refused", "job refused failed: the robot does not"),
    ],
)
def test_a_failing_job_is_named(jobs, job, said):
    with pytest.raises(NeoError, match=said):
        list(jobs.map(broken, ["fine", job]))


def test_a_job_whose_process_dies_is_named_and_others_still_run(jobs):
    with pytest.raises(NeoError, match="a process died on job killed"):
        list(jobs.map(broken, ["killed"]))
    assert list(jobs.map(broken, ["fine"])) == [("fine", "fine")]


def test_an_unknown_engine_lists_those_there_are():
    with pytest.raises(NeoError, match="no engine 'cloud'; one of local, ray"):
        engine.make("cloud")
