"""What a robot knows against a policy that says that it is done."""

import numpy as np
import pytest

from neo_task.achieved import Felt, beside, missing
from neo_task.perceived import understood

NOTHING, PUT, HOLDS = Felt(False, 0.0), Felt(False, 0.15), Felt(True, 0.15)
UNKNOWN = np.full((2, 3), np.nan)
BEFORE = np.array([[0.4, -0.2, 0.85], [0.45, 0.1, 0.83]])


def after(x, y):
    return np.array([[x, y, 0.85], BEFORE[1]])


@pytest.mark.parametrize(
    ("prompt", "felt", "now", "lacks"),
    [
        ("look at the red bottle", NOTHING, BEFORE, ""),
        ("reach for the red bottle", NOTHING, BEFORE, ""),
        ("pick up the red bottle", HOLDS, BEFORE, ""),
        ("pick up the red bottle", PUT, BEFORE, "no hand holds the red bottle"),
        ("pick up the red bottle", Felt(True, 0.01), BEFORE, "no hand lifted the red bottle"),
        ("hand me the red bottle", PUT, UNKNOWN, ""),
        ("hand me the red bottle", NOTHING, UNKNOWN, "no hand lifted the red bottle"),
        ("push the red bottle to the left", NOTHING, after(0.4, -0.1), ""),
        ("push the red bottle to the left", NOTHING, after(0.4, -0.3), "the red bottle has not gone left"),
        ("push the red bottle to the right", NOTHING, after(0.4, -0.3), ""),
        ("push the red bottle", NOTHING, after(0.4, -0.3), ""),
        ("push the red bottle", NOTHING, BEFORE, "the red bottle has not gone aside"),
        ("push the red bottle", NOTHING, UNKNOWN, ""),
        ("put the red bottle to the left of the green cup", PUT, after(0.45, 0.22), ""),
        ("put the red bottle to the left of the green cup", PUT, after(0.45, -0.02),
         "the red bottle is not left of the green cup"),
        ("put the red bottle to the left of the green cup", PUT, after(0.45, 0.42),
         "the red bottle is not left of the green cup"),
        ("put the red bottle behind the green cup", PUT, after(0.55, 0.1), ""),
        ("put the red bottle in front of the green cup", PUT, after(0.35, 0.1), ""),
        ("put the red bottle next to the green cup", NOTHING, after(0.45, 0.22),
         "no hand lifted the red bottle"),
        ("put the red bottle next to the green cup", PUT, UNKNOWN, ""),
        ("put the red bottle in the green basket", PUT, after(0.47, 0.12), ""),
        ("put the red bottle in the green basket", PUT, after(0.47, 0.32),
         "the red bottle is not in the green basket"),
        ("put the red bottle on the table", PUT, BEFORE, ""),
        ("tidy up", NOTHING, BEFORE, ""),
    ],
)  # fmt: skip
def test_what_is_missing_is_said(prompt, felt, now, lacks):
    assert missing(understood(prompt), felt, now, BEFORE) == lacks


def test_several_things_reach_farther():
    assert not beside("next_to", np.array([0.0, 0.4]))
    assert beside("next_to", np.array([0.0, 0.4]), more=1)
