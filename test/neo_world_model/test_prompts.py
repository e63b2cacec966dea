"""Prompts are drawn about what is there, and their words are those that `do_task` understands."""

import numpy as np
import pytest

from neo_description.errors import NeoError
from neo_task.prompt import parse
from neo_task.scripted import default_vocabulary
from neo_world_model.prompts import draw, landmarks, reworded, table
from neo_world_model.text import LENGTH

NAMES = ("red bottle", "green cup", "orange ball", "white can")
WITH_LANDMARKS = ("blue tray", *NAMES, "yellow basket")


@pytest.mark.parametrize("task", list(table()))
def test_every_way_of_asking_is_understood_and_means_what_it_says(task):
    words = default_vocabulary()
    for seed in range(20):
        asked = draw(np.random.default_rng(seed), WITH_LANDMARKS, task)
        parsed = parse(asked.prompt, words)
        assert f"{parsed.target.color} {parsed.target.class_name}" == asked.target
        assert str(parsed.place) == (asked.place or "object")
        assert len(asked.prompt) <= LENGTH


def test_tasks_come_by_their_shares():
    rng, words = np.random.default_rng(0), default_vocabulary()
    picks = sum(parse(draw(rng, NAMES).prompt, words).verb == "pick" for _ in range(400))
    assert abs(picks / 400 - table()["pick"]["share"]) < 0.08


def test_things_go_on_a_tray_and_in_a_basket_that_are_there_and_are_not_asked_for_themselves():
    words = default_vocabulary()
    assert landmarks() == {"tray", "basket"}
    for seed in range(30):
        asked = draw(np.random.default_rng(seed), WITH_LANDMARKS, "rest")
        assert parse(asked.prompt, words).relation == {"blue tray": "on", "yellow basket": "in"}[asked.place]
        assert asked.target in NAMES
        assert draw(np.random.default_rng(seed), WITH_LANDMARKS[:-1], "rest").place == "blue tray"
        asked = draw(np.random.default_rng(seed), WITH_LANDMARKS)
        assert asked.target in NAMES
        rests = parse(asked.prompt, words).relation in ("on", "in")
        assert (asked.place in ("blue tray", "yellow basket")) == rests
    with pytest.raises(NeoError, match="nothing there for task 'rest': no basket or tray"):
        draw(np.random.default_rng(0), NAMES, "rest")


def test_where_no_landmark_is_prompts_are_drawn_as_if_there_were_none_in_the_table():
    drawn = [draw(np.random.default_rng(seed), NAMES).prompt for seed in range(6)]
    assert drawn == [
        "push the white can",
        "put the white can to the left of the red bottle",
        "grab the white can",
        "get the orange ball",
        "look at the orange ball",
        "hand me the orange ball",
    ]


def test_unknown_tasks_and_empty_scenes_are_refused():
    with pytest.raises(NeoError, match="no task 'dance'; one of pick"):
        draw(np.random.default_rng(0), NAMES, "dance")
    with pytest.raises(NeoError, match="three things or more; given red bottle"):
        draw(np.random.default_rng(0), NAMES[:1])


@pytest.mark.parametrize("task", list(table()))
def test_other_words_mean_the_same_of_things_of_the_same_classes(task):
    words, names = (
        default_vocabulary(),
        [*WITH_LANDMARKS, "blue bottle", "white cup", "red ball", "green can"],
    )
    seen = set()
    for seed in range(30):
        rng = np.random.default_rng(seed)
        asked = draw(rng, WITH_LANDMARKS, task)
        said = reworded(rng, asked.prompt, WITH_LANDMARKS, names)
        before, after = parse(asked.prompt, words), parse(said, words)
        assert (before.verb, before.relation) == (after.verb, after.relation)
        for one, other in zip((before.target, *before.more), (after.target, *after.more), strict=True):
            assert one.class_name == other.class_name
        assert before.place.class_name == after.place.class_name
        seen.add(said)
    assert len(seen) > 5


def test_a_prompt_that_the_table_does_not_know_is_left():
    assert reworded(np.random.default_rng(0), "dance with the red bottle", NAMES, NAMES) == (
        "dance with the red bottle"
    )
