"""``neo bench pusht``: model, training and search on toys, failing jobs, figures of made-up samples."""

import json
import math
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from neo_bringup.bench import pusht
from neo_bringup.bench.harness import Request, known_targets
from neo_bringup.pusht import data, train
from neo_bringup.pusht.data import FRAMES, HORIZON, SKIP, STEPS, Episodes, pairs
from neo_bringup.pusht.model import ACTION, DEFAULT, SIZE, Ours
from neo_bringup.pusht.plan import Search, plan
from neo_description.errors import NeoError

SMALL = SimpleNamespace(**(vars(DEFAULT) | {"width": 32, "channels": 8, "predictor_layers": 1, "batch": 16}))


@pytest.fixture(autouse=True)
def _same_every_time():
    torch.manual_seed(0)


def toy(count=6):
    """Episodes of a bright square that moves as it is told."""
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, (count, STEPS, 2)).astype(np.float32)
    states = np.zeros((count, STEPS + 1, 7))
    states[:, :, :2] = 30 + np.concatenate([np.zeros((count, 1, 2)), np.cumsum(actions, axis=1)], axis=1)
    pictures = np.zeros((count, FRAMES, SIZE, SIZE, 3), np.uint8)
    for e in range(count):
        for f in range(FRAMES):
            x, y = np.clip(states[e, f * SKIP, :2], 0, SIZE - 8).astype(int)
            pictures[e, f, y : y + 8, x : x + 8] = 255
    return Episodes(pictures, actions, states)


def test_windows_hold_the_actions_between_their_pictures():
    episodes = toy()
    pictures, actions = episodes.windows(20, 4, np.random.default_rng(1))
    assert pictures.shape == (20, 4, SIZE, SIZE, 3)
    assert actions.shape == (20, 3, ACTION)
    moved = actions.reshape(20, 3, SKIP, 2).sum(axis=2)
    corner = np.array([[np.argwhere(p[..., 0]).min(axis=0)[::-1] for p in window] for window in pictures])
    assert np.abs(np.diff(corner, axis=1) - moved).max() <= 1.0  # px; pictures are of whole pixels


def test_pairs_are_a_horizon_apart_and_of_different_episodes():
    episodes = toy()
    for pair in pairs(episodes, 6, seed=3):
        between = pair.actions[: SKIP * HORIZON].sum(axis=0)
        assert pair.goal[:2] - pair.start[:2] == pytest.approx(between, abs=1e-4)
    starts = [tuple(pair.start) for pair in pairs(episodes, 6, seed=3)]
    assert starts == [tuple(pair.start) for pair in pairs(episodes, 6, seed=3)]
    assert starts != [tuple(pair.start) for pair in pairs(episodes, 6, seed=4)]


def test_shapes_of_our_model():
    model = Ours(SMALL).eval()
    z = model.encode(torch.zeros(3, SIZE, SIZE, 3, dtype=torch.uint8))
    assert z.shape == (3, SMALL.width)
    for h in (1, HORIZON):
        assert model.imagine(z, torch.zeros(3, h, ACTION)).shape == (3, h, SMALL.width)


def test_a_step_is_imagined_from_its_own_and_earlier_actions_only():
    model = Ours(SMALL).eval()
    z, actions = torch.randn(2, SMALL.width), torch.randn(2, HORIZON, ACTION)
    other = actions.clone()
    other[:, 3:] += 1.0
    one, two = model.imagine(z, actions), model.imagine(z, other)
    assert torch.allclose(one[:, :3], two[:, :3], atol=1e-6)
    assert not torch.allclose(one[:, 3:], two[:, 3:], atol=1e-6)
    assert torch.allclose(one[:, :2], model.imagine(z, actions[:, :2]), atol=1e-6)


def test_losses_fall_and_states_do_not_collapse_on_a_toy():
    model, episodes = Ours(SMALL), toy()
    rng, optimizer = np.random.default_rng(0), torch.optim.AdamW(model.parameters(), 2e-3)
    losses, apart = [], []
    for _ in range(80):
        pictures, actions = episodes.windows(16, HORIZON + 1, rng)
        terms = model(torch.from_numpy(pictures), torch.from_numpy(actions))
        optimizer.zero_grad()
        terms["loss"].backward()
        optimizer.step()
        losses.append(float(terms["loss"].detach()))
        apart.append(float(terms["sigreg"].detach()))
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])
    assert apart[-1] < 0.8 * apart[0]  # states that are all alike keep it where it was


def test_training_ends_with_its_cpu_time_and_its_weights_come_back(tmp_path):
    model, length = train.make("ours", SMALL)
    about = train.train(model, length, toy(), 0.02, 0, lambda line: None)
    assert about["steps"] >= 1
    assert about["frames"] == about["steps"] * SMALL.batch * length
    assert 0.02 <= about["cpu_minutes"] < 0.2
    train.save(model, tmp_path / "ours.safetensors")
    again = train.load("ours", tmp_path / "ours.safetensors", SMALL)
    picture = torch.randint(0, 255, (2, SIZE, SIZE, 3), dtype=torch.uint8)
    assert torch.equal(again.encode(picture), model.encode(picture))


def test_the_learning_rate_rises_and_falls():
    rates = [train.rate(done) for done in (0.0, train.WARM, 0.5, 1.0)]
    assert rates[0] < 0.01 < rates[3] < rates[2] < rates[1] == pytest.approx(1.0)


class Sums:
    """A world whose state is where it was, plus the sum of the actions."""

    def imagine(self, z, actions):
        return z[:, None] + actions.cumsum(dim=1)


def test_a_training_that_was_cut_off_goes_on_from_its_last_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(train, "KEPT", 0.0)
    model, length = train.make("ours", SMALL)
    file, said = tmp_path / "ours.begun", []
    first = train.train(model, length, toy(), 0.02, 0, said.append, file)
    again, _ = train.make("ours", SMALL)
    on = train.train(again, length, toy(), 0.03, 0, said.append, file)
    assert "goes on from step" in said[-1]
    assert on["steps"] > first["steps"] - 1
    assert 0.03 <= on["cpu_minutes"] < 0.2
    other, _ = train.make("ours", SMALL)
    done = train.train(other, length, toy(), 1e-6, 0, said.append, file)  # as it was kept, no step more
    picture = torch.randint(0, 255, (2, SIZE, SIZE, 3), dtype=torch.uint8)
    assert done["steps"] == on["steps"] - 1
    assert torch.allclose(other.encode(picture), again.eval().encode(picture), atol=0.1)
    assert not torch.allclose(other.encode(picture), model.encode(picture), atol=1e-6)


def test_the_search_finds_a_known_best():
    z = torch.tensor([[0.0, 0.0], [1.0, -1.0]])
    goal = torch.tensor([[1.5, -2.0], [1.0, 0.5]])
    found = plan(
        Sums(), z, goal, torch.zeros(2, 3, 2), Search(iterations=12), torch.Generator().manual_seed(0)
    )
    assert found.abs().max() <= 1.0
    assert torch.allclose(z + found.sum(dim=1), goal, atol=0.05)


def test_a_plan_that_is_best_already_is_kept():
    first = torch.full((1, 4, 2), 0.25)
    one = Search(samples=32, elite=4, iterations=1)
    goal = torch.tensor([[1.0, 1.0]])
    found = plan(Sums(), torch.zeros(1, 2), goal, first, one, torch.Generator().manual_seed(0))
    assert torch.equal(found, first)


def test_what_a_job_says_last_is_in_the_error(tmp_path):
    with pytest.raises(NeoError, match=r"nonsense of PushT ended with 1.*KeyError: 'nonsense'"):
        pusht.run(Path(sys.executable), {"do": "nonsense"}, tmp_path / "log", print)


def test_a_jobs_progress_and_result_come_back(tmp_path):
    worker = tmp_path / "worker"
    lines = [json.dumps({"say": "half"}), json.dumps({"result": {"frames": 2}})]
    worker.write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in lines))
    worker.chmod(0o755)
    said = []
    assert pusht.run(worker, {"do": "collect"}, tmp_path / "log", said.append) == {"frames": 2}
    assert said == ["half"]


def test_a_job_that_was_done_is_not_done_again_when_another_was_cut_off(tmp_path):
    """Pinned: a training of 90 minutes was begun anew because the one beside it had not ended."""
    worker, runs, mended = tmp_path / "worker", tmp_path / "runs", tmp_path / "mended"
    lines = ["#!/bin/sh", f'echo "$3" >> {runs}', 'echo \'{"result": {"frames": 2}}\'']
    lines += [f'case "$3" in *second*) test -e {mended};; esac']
    worker.write_text("\n".join(lines))
    worker.chmod(0o755)
    jobs = {name: {"do": name} for name in ("first", "second")}
    with pytest.raises(NeoError, match="second of PushT ended with 1"):
        pusht.side_by_side(worker, jobs, tmp_path, "part/0", print)
    mended.touch()
    done = pusht.side_by_side(worker, jobs, tmp_path, "part/0", print)
    assert done == {"first": {"frames": 2}, "second": {"frames": 2}}
    assert [json.loads(line)["do"] for line in runs.read_text().splitlines()].count("first") == 1
    pusht.side_by_side(worker, jobs, tmp_path, "part/0", print)  # measured again once all were done
    assert runs.read_text().count("first") == 2


def test_minutes_are_given_by_the_environment(monkeypatch):
    assert pusht.scale(False)["minutes"] == 90.0
    monkeypatch.setenv("NEO_PUSHT_MINUTES", "3")
    assert pusht.scale(True)["minutes"] == 3.0
    monkeypatch.setenv("NEO_PUSHT_MINUTES", "soon")
    with pytest.raises(NeoError, match="'soon'; a number above 0"):
        pusht.scale(False)


def test_both_models_learn_from_and_are_tried_on_the_same(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(pusht, "environment", lambda folder, progress: folder)
    monkeypatch.setattr(pusht, "side_by_side", lambda python, jobs, *rest: asked.append(jobs) or {})
    request = Request("pusht", (2,), True, "", "", tmp_path)
    assert pusht.parts(request) == ["collect", "train/2", "score/2"]
    for part in pusht.parts(request):
        pusht.measure(part, request, print)
    collected, trained, scored = asked
    assert {job["episodes"] for job in trained.values()} == {collected["train"]["folder"]}
    assert len({job["minutes"] for job in trained.values()}) == 1
    assert {job["episodes"] for job in scored.values()} == {collected["held_out"]["folder"]}
    assert len({(job["pairs"], job["seed"], str(job["search"])) for job in scored.values()}) == 1
    assert scored["peer"]["weights"] == trained["peer"]["weights"]
    assert all(scored[look]["weights"] == trained["ours"]["weights"] for look in pusht.LOOKS)
    assert set(data.SEEDS) == set(collected)


def test_figures_count_pairs_and_compare_looks_with_the_clean_one():
    def scored(shares):
        return {who: {"done": [i < share for i in range(10)]} for who, share in shares.items()}

    shares = {look: 4 for look in pusht.LOOKS} | {
        "clean": 6,
        "disc_size": 3,
        "peer": 2,
        "random": 0,
        "replay": 9,
    }
    trained = {name: {"cpu_minutes": 90.0} for name in pusht.MODELS}
    samples = {"collect": {}} | {f"train/{s}": trained for s in (0, 1)} | {
        f"score/{s}": scored(shares) for s in (0, 1)
    }  # fmt: skip
    found = {figure.id: figure for figure in pusht.figures(samples)}
    assert set(found) == set(known_targets("pusht"))
    assert (found["pusht.success"].value, found["pusht.success"].n) == (0.6, 20)
    assert found["pusht.over_peer"].value == pytest.approx(0.4)
    assert found["pusht.kept_disc_size"].value == pytest.approx(0.5)
    assert found["pusht.cpu_minutes"].value == 90.0


def test_nothing_done_keeps_nothing():
    who = (*pusht.LOOKS, "peer", "random", "replay")
    found = {f.id: f for f in pusht.figures({"score/0": {name: {"done": [False]} for name in who}})}
    assert found["pusht.success"].value == 0.0
    assert math.isnan(found["pusht.kept_disc_size"].value)
