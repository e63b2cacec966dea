"""Prompts are drawn about what is there, and their words are those that `do_task` understands."""

import numpy as np
import pytest

from neo_description.errors import NeoError
from neo_task.prompt import parse
from neo_task.scripted import default_vocabulary
from neo_world_model.prompts import draw, table
from neo_world_model.text import LENGTH

NAMES = ("red bottle", "green cup", "orange ball", "white can")


@pytest.mark.parametrize("task", list(table()))
def test_every_way_of_asking_is_understood_and_means_what_it_says(task):
    words = default_vocabulary()
    for seed in range(20):
        asked = draw(np.random.default_rng(seed), NAMES, task)
        parsed = parse(asked.prompt, words)
        assert f"{parsed.target.color} {parsed.target.class_name}" == asked.target
        assert str(parsed.place) == (asked.place or "object")
        assert len(asked.prompt) <= LENGTH


def test_tasks_come_by_their_shares():
    rng = np.random.default_rng(0)
    picks = sum(parse(draw(rng, NAMES).prompt, default_vocabulary()).verb == "pick" for _ in range(400))
    assert abs(picks / 400 - table()["pick"]["share"]) < 0.08


def test_unknown_tasks_and_empty_scenes_are_refused():
    with pytest.raises(NeoError, match="no task 'dance'; one of pick"):
        draw(np.random.default_rng(0), NAMES, "dance")
    with pytest.raises(NeoError, match="three things or more; given red bottle"):
        draw(np.random.default_rng(0), NAMES[:1])
