"""What a plan would lead to, in the words of the one who asked."""

import pytest

from neo_world_model.episode import EVENTS
from neo_world_model.plan import AVOIDED
from neo_world_model.would import WOULD, meant, would


@pytest.mark.parametrize(
    ("prompt", "thing"),
    [
        ("pick up the green cup", "green cup"),
        ("Grab the green mug, please", "green mug"),
        ("put the ball next to the red box", "ball"),
        ("can you lift the blue bottle", "blue bottle"),
        ("push the red", "red thing"),
        ("go about", "thing"),
        ("", "thing"),
    ],
)
def test_a_prompt_is_about_its_first_thing(prompt, thing):
    assert meant(prompt) == thing


def test_every_event_that_vetoes_has_words_and_hidden_things_veto_nothing():
    assert set(AVOIDED) == set(WOULD) == set(EVENTS) - {"hidden"}
    assert would("slips", "take the red can") == "the red can would slip out of the hand"
    assert would("collides", "take the red can") == "the robot would bump into something"
