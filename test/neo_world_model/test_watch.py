"""A robot's own watching: what was not to be expected surprises, and the same sense is named."""

import numpy as np
import pytest
from toy import episode

from neo_description.errors import NeoError
from neo_world_model.watch import Watcher


def watch(folder, made, change=lambda t, row: row):
    watcher, found = Watcher(folder), []
    for t in range(len(made)):
        row = {name: values[t] for name, values in made.fields.items() if name != "action"}
        found.append(watcher.step(change(t, row)))
        watcher.passed(made.fields["action"][t])
    return found


def test_surprise_begins_when_there_is_enough_to_imagine_from(toy_model):
    found = watch(toy_model, episode(1000, 12))
    assert [seen.surprise is None for seen in found] == [True] * 4 + [False] * 8
    assert found[-1].picture.shape == (2, 48, 64, 3)
    assert [event.name for event in found[-1].events] == ["falls", "slips", "collides", "hidden"]
    assert all(0.0 <= event.chance <= 1.0 for event in found[-1].events)


def test_a_force_from_nowhere_surprises_and_is_named(toy_model):
    def blow(t, row):
        return {**row, "force": row["force"] + 8.0} if t == 20 else row

    calm, hit = watch(toy_model, episode(1001, 25)), watch(toy_model, episode(1001, 25), blow)
    assert hit[20].surprise.nll > calm[20].surprise.nll
    assert hit[20].surprise.shares["force"] > calm[20].surprise.shares["force"]
    assert hit[20].surprise.shares["force"] > 0.5


def test_quantiles_of_surprise_are_those_of_held_out_steps(toy_model):
    values = [
        s.surprise.value for i in range(8) for s in watch(toy_model, episode(2000 + i, 40)) if s.surprise
    ]
    assert 0.3 < np.mean(values) < 0.7


def test_a_blind_robot_watches_on(toy_model):
    found = watch(
        toy_model, episode(1002, 10), lambda t, row: {k: v for k, v in row.items() if k != "vision"}
    )
    assert np.isfinite(found[-1].surprise.nll)


def test_a_source_that_the_model_never_saw_is_refused(toy_model):
    with pytest.raises(NeoError, match="no teleop; it is calibrated for sim"):
        Watcher(toy_model, source="teleop")
