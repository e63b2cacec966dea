"""Prompts become tasks, or are refused with the part that is not understood."""

import pytest

from neo_task.prompt import PromptError, Query, Task, parse, vocabulary

VOCABULARY = vocabulary(
    colors=["red", "green", "blue", "yellow", "orange", "grey"],
    classes=["bottle", "cup", "box", "ball", "fruit"],
)


@pytest.mark.parametrize(
    ("prompt", "task"),
    [
        ("pick up the red bottle", Task("pick", Query("red", "bottle"))),
        ("Please grab a GREEN mug!", Task("pick", Query("green", "cup"))),
        ("lift the ball", Task("pick", Query("", "ball"))),
        ("take the orange ball", Task("pick", Query("orange", "ball"))),
        ("take the blue one", Task("pick", Query("blue", ""))),
        ("look at the gray box", Task("look", Query("grey", "box"))),
        ("look at the table", Task("look", Query("", "table"))),
        ("put down the red bottle", Task("release", Query("red", "bottle"))),
        ("put the red bottle down", Task("release", Query("red", "bottle"))),
        ("let go", Task("release", Query())),
        ("reach for the yellow box", Task("reach", Query("yellow", "box"))),
        ("put the red bottle on the table", Task("place", Query("red", "bottle"), "on", Query("", "table"))),
        (
            "put the red bottle next to the green cup",
            Task("place", Query("red", "bottle"), "next_to", Query("green", "cup")),
        ),
        (
            "place the ball to the left of the blue box",
            Task("place", Query("", "ball"), "left_of", Query("blue", "box")),
        ),
        ("push the red cup", Task("push", Query("red", "cup"))),
        ("slide the ball to the left", Task("push", Query("", "ball"), "left")),
        ("give me the red bottle", Task("give", Query("red", "bottle"))),
        ("hand over the blue one", Task("give", Query("blue", ""))),
        (
            "put the red bottle and the green cup behind the box",
            Task("place", Query("red", "bottle"), "behind", Query("", "box"), (Query("green", "cup"),)),
        ),
        ("put the ball on top of the box", Task("place", Query("", "ball"), "on", Query("", "box"))),
    ],
)
def test_understands(prompt, task):
    assert parse(prompt, VOCABULARY) == task


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        ("", "empty"),
        ("   !!", "empty"),
        ("dance", "no verb"),
        ("the red bottle", "no verb"),
        ("pick up", "no object"),
        ("pick up the spaceship", "spaceship"),
        ("pick up the red spaceship", "spaceship"),
        ("pick up the pink bottle", "pink bottle"),
        ("pick up the table", "cannot pick the table"),
        ("put the red bottle", "where to"),
        ("put the red bottle on", "ends before"),
        ("put the red bottle on the moon", "moon"),
        ("pick up the red bottle on the table", "only 'put' takes a place"),
        ("pick up the red bottle and dance", "dance"),
        (
            "pick up the red bottle and the ball",
            "several objects; 'pick up the red bottle and the ball' has 2",
        ),
        ("put the ball and the table on the box", "cannot place the table"),
        ("push the red bottle to the moon", "moon"),
        ("pick up the red bottle " * 20, "characters"),
    ],
)
def test_refuses_and_names_the_part(prompt, says):
    with pytest.raises(PromptError, match=says):
        parse(prompt, VOCABULARY)


def test_a_refusal_lists_what_is_known():
    with pytest.raises(PromptError, match="bottle, cup, box, ball, fruit"):
        parse("pick up the spaceship", VOCABULARY)
