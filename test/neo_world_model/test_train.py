"""Training learns, goes on where it was cut off, and is the same on one process and on two."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from toy import episode

from neo_description.errors import NeoError
from neo_world_model import checkpoint, config
from neo_world_model.evaluate import evaluate, tensors
from neo_world_model.kept import EACH, Kept
from neo_world_model.losses import taught
from neo_world_model.mixture import Mixture
from neo_world_model.store import Store
from neo_world_model.train import Trainer, lacks_memory, rate, train
from neo_world_model.world_model import WorldModel

SMALL = {
    "width": 32,
    "channels": 8,
    "predictor_layers": 2,
    "heads": 2,
    "batch": 8,
    "evaluate_every": 1000,
    "evaluate_batches": 1,
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    made = Store.create(tmp_path_factory.mktemp("toy"))
    for i in range(40):
        made.add(episode(i, 30, "web_video" if i % 8 == 7 else "sim"))
    return str(made.folder)


def quiet(_line):
    pass


def same(a, b, **tolerance):
    first, second = checkpoint.load(a)[0].state_dict(), checkpoint.load(b)[0].state_dict()
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, **tolerance)


def test_a_resumed_run_is_the_run_that_was_not_cut_off(store, tmp_path):
    whole = config.load("ci", **SMALL, stores=[store], steps=6)
    train(whole, tmp_path / "whole", quiet)
    cut = config.load("ci", **{**SMALL, "evaluate_every": 3}, stores=[store], steps=6)
    lines = []

    class CutOffError(Exception):
        pass

    def cut_off(line):
        if line.startswith("held out"):
            raise CutOffError

    with pytest.raises(CutOffError):
        train(cut, tmp_path / "cut", cut_off)
    assert json.loads((tmp_path / "cut" / "model.json").read_text())["step"] == 3
    train(cut, tmp_path / "cut", lines.append)
    assert "resumed at step 3" in lines
    same(tmp_path / "whole", tmp_path / "cut")
    again = train(cut, tmp_path / "cut", quiet)  # nothing is left to do
    assert again["step"] == 6


def test_a_folder_with_a_run_of_other_settings_is_refused(store, tmp_path):
    train(config.load("ci", **SMALL, stores=[store], steps=1), tmp_path, quiet)
    other = config.load("ci", **{**SMALL, "width": 64}, stores=[store], steps=1)
    with pytest.raises(NeoError, match=r"width 32 \(now 64\)"):
        train(other, tmp_path, quiet)


def test_a_run_leaves_what_tensorboard_and_a_robot_read(store, tmp_path):
    card = train(config.load("ci", **SMALL, stores=[store], steps=2), tmp_path, quiet)
    assert any("tfevents" in file.name for file in tmp_path.iterdir())
    model, read = checkpoint.load(tmp_path)
    assert read["figures"] == card["figures"]
    assert not model.training


def test_weights_of_another_shape_are_refused(store, tmp_path):
    train(config.load("ci", **SMALL, stores=[store], steps=1), tmp_path, quiet)
    card = json.loads((tmp_path / "model.json").read_text())
    card["settings"]["width"] = 64
    (tmp_path / "model.json").write_text(json.dumps(card))
    with pytest.raises(NeoError, match="do not fit"):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize(
    ("error", "short"),
    [
        (MemoryError(), True),
        (OSError(12, "Cannot allocate memory"), True),  # of a file that is mapped
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), True),
        (OSError(28, "No space left on device"), False),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    ],
)
def test_a_lack_of_memory_is_told_from_other_errors(error, short):
    assert lacks_memory(error) is short


def test_the_learning_rate_rises_then_falls():
    rates = [rate(p) for p in np.linspace(0.0, 1.0, 101)]
    peak = int(np.argmax(rates))
    assert 4 <= peak <= 6
    assert max(rates) == pytest.approx(1.0, abs=0.01)
    assert all(a >= b for a, b in zip(rates[peak:], rates[peak + 1 :], strict=False))
    assert rates[-1] == pytest.approx(0.1, abs=1e-6)


def torchrun(processes, store, folder, sharding):
    """The same total batch on ``processes`` processes, through the command that people use."""
    settings = {**SMALL, "batch": 8, "steps": 4, "sharding": sharding}
    given = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    command = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes}", "--standalone",
               "-m", "neo_bringup.cli", "train", "ci", "--store", store, "--out", folder, *given]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300, cwd=Path(__file__).parents[2]
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_two_processes_train_alike_in_copies_and_in_shards(store, tmp_path):
    for sharding in ("ddp", "fsdp2"):
        torchrun(2, store, str(tmp_path / sharding), sharding)
    copies, shards = (json.loads((tmp_path / name / "model.json").read_text()) for name in ("ddp", "fsdp2"))
    for name in ("error_ratio_1", "error_ratio_8", "spread", "rank"):
        assert shards["figures"][name] == pytest.approx(copies["figures"][name], rel=1e-3)


def test_processes_without_sharding_are_refused(store, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(NeoError, match="sharding none with 2"):
        train(config.load("ci", **SMALL, stores=[store], steps=1), tmp_path, quiet)
    monkeypatch.setenv("WORLD_SIZE", "1")
    with pytest.raises(NeoError, match="sharding ddp with 1"):
        train(config.load("ci", **SMALL, stores=[store], steps=1, sharding="ddp"), tmp_path, quiet)


def test_an_untrained_model_is_told_from_a_trained_one_by_its_figures(store):
    torch.manual_seed(0)
    settings = config.load("ci", **SMALL, stores=[store])
    from neo_world_model.world_model import WorldModel

    held = Mixture([Store(store)], {"sim": 1.0}, settings.context + settings.horizon,
                   held=True, context=settings.context)  # fmt: skip
    figures = evaluate(WorldModel(settings), held, batches=2)
    assert figures["error_ratio_1"] > 0.9
    assert figures["rank"] < 10.0


def test_a_run_may_begin_with_weights_and_leave_parts_as_they_are(store, tmp_path):
    train(config.load("ci", **SMALL, stores=[store], steps=2), tmp_path / "first", quiet)
    more = config.load(
        "ci", **SMALL, stores=[store], steps=2, start=str(tmp_path / "first"), frozen=["encoder", "text"]
    )
    train(more, tmp_path / "more", quiet)
    before, after = (checkpoint.load(tmp_path / name)[0].state_dict() for name in ("first", "more"))
    kept = [name for name in before if torch.equal(before[name], after[name])]
    assert {name.split(".")[0] for name in kept} >= {"encoder", "text"}
    assert not any(name.startswith(("predictor.layers", "policy.out")) for name in kept)
    with pytest.raises(NeoError, match="no part eyes; a model's parts are encoder, own, actions"):
        train(config.load("ci", **SMALL, stores=[store], frozen=["eyes"]), tmp_path / "other", quiet)


@pytest.mark.parametrize("part", ["where", "policy"])
def test_a_part_may_be_learned_alone_at_less_cost_and_the_card_tells_what_was_before(store, tmp_path, part):
    train(config.load("ci", **SMALL, stores=[store], steps=2), tmp_path / "first", quiet)
    said = []
    more = config.load("ci", **SMALL, stores=[store], steps=2, start=str(tmp_path / "first"), trained=[part])
    card = train(more, tmp_path / "more", said.append)
    before, after = (checkpoint.load(tmp_path / name)[0].state_dict() for name in ("first", "more"))
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {part}
    assert part in said[0]
    assert "predict" not in said[0]
    assert card["made"]["before"]["step"] == 2


def test_alone_the_policy_learns_the_same_as_among_all_parts(store):
    torch.manual_seed(0)
    same = {"modality_dropout": 0.0, "policy_dropout": 0.0}
    model = WorldModel(config.load("ci", **SMALL, stores=[store], **same))
    batch = tensors(Mixture([Store(store)], {"sim": 1.0}, 12, context=4).batch(8, 0), torch.device("cpu"))
    batch["lesson"].normal_()
    found = []
    for alone in (False, True):
        for name, part in model.named_children():
            part.requires_grad_(name == "policy" or not alone)
        torch.manual_seed(1)
        terms = model(batch, None)
        model.zero_grad()
        terms["policy"].backward()
        found.append((terms["policy"].item(), model.policy.out[0].weight.grad.clone()))
    assert set(terms) == {"policy", "loss"}
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    torch.testing.assert_close(found[0][1], found[1][1], rtol=1e-3, atol=1e-6)


def test_a_part_may_begin_anew_and_all_others_go_on(store, tmp_path):
    first = config.load("ci", **SMALL, stores=[store], steps=1)
    train(first, tmp_path / "first", quiet)
    more = config.load("ci", **SMALL, stores=[store], start=str(tmp_path / "first"), anew=["policy"], seed=5)
    begun = Trainer(more, tmp_path / "more", quiet).model.state_dict()
    before = checkpoint.load(tmp_path / "first")[0].state_dict()
    other = {name.split(".")[0] for name in before if not torch.equal(before[name], begun[name])}
    assert other == {"policy"}


def test_the_second_half_of_a_schedule_ends_as_the_whole_does(store, tmp_path):
    rates = {}
    for schedule in ((0.0, 1.0), (0.5, 1.0)):
        settings = config.load("ci", **SMALL, stores=[store], steps=1000, schedule=list(schedule))
        trainer = Trainer(settings, tmp_path / str(schedule), quiet)
        trainer.steps = 900
        trainer.step()
        rates[schedule] = trainer._optimizer.param_groups[0]["lr"]
    assert rates[0.5, 1.0] < rates[0.0, 1.0]
    assert rates[0.5, 1.0] == pytest.approx(settings.learning_rate * rate(0.95))


def test_kept_states_teach_the_policy_what_windows_do(store):
    settings = config.load("ci", **SMALL, stores=[store], steps=1, trained=["policy"], modality_dropout=0.0)
    torch.manual_seed(0)
    model, k = WorldModel(settings).eval(), settings.context
    for name, part in model.named_children():
        part.requires_grad_(name == "policy")
    drawn = Mixture([Store(store)], {"sim": 1.0}, k + settings.horizon, 0, context=k)
    windows = tensors(drawn.batch(EACH, 0), torch.device("cpu"))
    kept = Kept(model, drawn, EACH)
    assert len(kept) == int(taught(windows, k).sum())
    rows = {name: torch.from_numpy(x) for name, x in kept.batch(20 * len(kept), 0).items()}
    alone, among_all = (model(x, torch.Generator().manual_seed(0))["policy"].item() for x in (rows, windows))
    assert alone == pytest.approx(among_all, rel=0.05)
    again = kept.batch(20 * len(kept), 0)
    assert all(np.array_equal(again[name], x, equal_nan=True) for name, x in rows.items())


def test_a_run_may_keep_states_and_only_if_the_policy_learns_alone(store, tmp_path):
    first = tmp_path / "first"
    train(config.load("ci", **SMALL, stores=[store], steps=2), first, quiet)
    rest = {**SMALL, "stores": [store], "steps": 3, "start": str(first), "kept": 300}
    train(config.load("ci", **rest, trained=["policy"]), tmp_path / "kept", quiet)
    before, after = (checkpoint.load(tmp_path / name)[0].state_dict() for name in ("first", "kept"))
    changed = {name.split(".")[0] for name, value in after.items() if not torch.equal(value, before[name])}
    assert changed == {"policy"}
    with pytest.raises(NeoError, match=r"it needs trained: \[policy\]"):
        train(config.load("ci", **rest), tmp_path / "all", quiet)


def test_weights_of_a_layer_that_got_more_inputs_do_as_before_until_they_are_learned(store, tmp_path):
    first = config.load("ci", **SMALL, stores=[store], steps=1)
    train(first, tmp_path, quiet)
    model, _ = checkpoint.load(tmp_path)
    fewer = model.policy.out[0].in_features - 12
    weights = load_file(tmp_path / checkpoint.WEIGHTS)
    weights["policy.out.0.weight"] = weights["policy.out.0.weight"][:, :fewer].contiguous()
    save_file(weights, tmp_path / checkpoint.WEIGHTS)
    again, _ = checkpoint.load(tmp_path)
    assert torch.equal(again.policy.out[0].weight[:, :fewer], model.policy.out[0].weight[:, :fewer])
    assert not again.policy.out[0].weight[:, fewer:].any()


def test_a_policy_that_learns_alone_is_told_evenly_by_what_prompts_differ(tmp_path):
    store = Store.create(tmp_path / "store")
    prompts = ["push the cup to the left", "push the cup to the right", "lift the red box"]
    for i in range(12):
        said = episode(i, 30)
        said.prompt = prompts[i % 3]
        store.add(said)
    rest = {**SMALL, "stores": [str(store.folder)], "trained": ["policy"], "kept": 300, "reword": 0.0}
    policy = Trainer(config.load("ci", **rest), tmp_path / "run", quiet).model.policy
    assert not torch.equal(policy.even_words, torch.eye(SMALL["width"]))
    assert torch.isfinite(policy.even_words).all()


def test_layers_that_a_policy_got_since_change_nothing_until_they_are_learned(store, tmp_path):
    train(config.load("ci", **SMALL, stores=[store], steps=2), tmp_path, quiet)
    weights = load_file(tmp_path / checkpoint.WEIGHTS)
    for name in checkpoint.ADDED:
        del weights[name]
    save_file(weights, tmp_path / checkpoint.WEIGHTS)
    again = checkpoint.load(tmp_path)[0].state_dict()
    assert torch.equal(again["policy.even_words"], torch.eye(SMALL["width"]))
    assert not any(again[name].any() for name in checkpoint.ADDED - {"policy.even_words"})
    weights.pop("policy.out.0.bias")
    save_file(weights, tmp_path / checkpoint.WEIGHTS)
    with pytest.raises(NeoError, match=r"do not fit this version"):
        checkpoint.load(tmp_path)
