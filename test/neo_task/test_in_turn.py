"""Several things one after the other, and again where a try stalls; in between the hands come back."""

from copy import copy

import numpy as np
import pytest

from neo_description.signals import BodyEstimate, GraspPhase, GraspStatus, HandAction, Safety
from neo_task.in_turn import InTurn
from neo_task.planner import Observation, Outcome, Step
from neo_task.prompt import Query, Task, parse
from neo_task.scripted import default_vocabulary, load_parameters
from neo_world_model import prompts

PROMPT = "put the red bottle and the green cup next to the blue box"
EACH = ("put the red bottle next to the blue box", "put the green cup next to the blue box")
STALLED = Outcome(False, "stalled", "not done: no")
TIMEOUT = Outcome(False, "timeout", "not done: slow")
DONE = Outcome(True, "done", "done: it")
TICK = 0.02  # s


def at(x, y, z):
    T = np.eye(4)
    T[:3, 3] = x, y, z
    return T


class Robot:
    """Each prompt and each try of it ends with the next of ``outcomes``, at once, with the left hand
    out over the table."""

    def __init__(self, *outcomes, each=EACH, tries=1, timeout=30.0, hand=GraspPhase.IDLE):
        self.outcomes, self.begun, self.commands, self.time = list(outcomes), [], [], 0.0
        self.grippers = {"l": at(0.2, 0.2, 0.9), "r": at(0.2, -0.2, 0.9)}
        self.hands = {"l": GraspStatus(phase=hand), "r": GraspStatus()}
        self.safety = Safety.ACTIVE
        self.planner = InTurn(PROMPT, each, timeout, self.begin, load_parameters(tries=tries))

    def begin(self, prompt, left):
        self.begun.append((prompt, left))
        robot = self

        class Planner:
            def step(self, observation):
                robot.grippers["l"] = at(0.5, 0.2, 0.9)
                return Step(progress=0.5, outcome=copy(robot.outcomes.pop(0)))

            def again(self):
                robot.begun.append("again")

        return Planner()

    def step(self):
        """Grippers are at once where they are sent; a released one where it was at first."""
        T = np.eye(4)
        estimate = BodyEstimate(0, self.time, T, np.zeros(6), *self.grippers.values(), T, self.safety, "")
        out = self.planner.step(Observation(self.time, estimate, self.hands))
        for command in out.body:
            for side, home in (("l", at(0.2, 0.2, 0.9)), ("r", at(0.2, -0.2, 0.9))):
                sent = home if side in command.release else getattr(command, f"T_{side}_hand")
                self.grippers[side] = self.grippers[side] if sent is None else sent
        self.commands.append(out)
        self.time += TICK
        return out

    def run(self, seconds=20.0):
        return next(s.outcome for s in (self.step() for _ in range(int(seconds / TICK))) if s.outcome)


def test_the_second_begins_when_the_hands_are_back_from_the_first_and_has_the_time_that_is_left():
    robot = Robot(DONE, DONE)
    outcome = robot.run()
    assert (outcome.success, outcome.message) == (True, f"done: {PROMPT}")
    assert [prompt for prompt, _ in robot.begun] == list(EACH)
    (_, first), (_, second) = robot.begun
    assert (first, second) == (30.0, pytest.approx(30.0 - robot.time, abs=4 * TICK))
    hands = [(side, command.action) for step in robot.commands for side, command in step.hands]
    assert hands == [("l", HandAction.OPEN), ("r", HandAction.OPEN)]
    assert robot.commands[0].outcome is None
    assert robot.time > 0.8
    assert [step.progress for step in robot.commands[:2]] == [0.25, 0.5]
    assert robot.commands[-1].progress == 0.75
    released = [side for step in robot.commands for command in step.body for side in command.release]
    assert released == ["l", "r"]


def test_time_counts_for_all_things_together():
    robot = Robot(None, None, DONE, TIMEOUT)
    assert robot.run().message == "not done: it took longer than 30 s (1 of 2 things are there)"
    assert robot.begun[1] == (EACH[1], pytest.approx(30.0 - robot.time, abs=4 * TICK))


def test_time_counts_on_the_way_back_too():
    outcome = Robot(STALLED, DONE, each=EACH[:1], tries=3, timeout=0.5).run(1.0)
    assert (outcome.reason, outcome.message) == ("timeout", "not done: it took longer than 0.5 s")


@pytest.mark.parametrize(("outcomes", "there"), [((STALLED,), "0 of 2"), ((DONE, STALLED), "1 of 2")])
def test_the_first_that_fails_ends_it_and_says_how_many_are_there(outcomes, there):
    outcome = Robot(*outcomes).run()
    assert (outcome.success, outcome.reason) == (False, "stalled")
    assert there in outcome.message


def test_what_stalls_is_tried_again_from_where_the_hands_were_and_then_given_up():
    robot = Robot(STALLED, STALLED, STALLED, each=EACH[:1], tries=3)
    assert robot.run().message == "not done: no"
    assert robot.begun == [(EACH[0], 30.0), "again", "again"]
    robot = Robot(STALLED, DONE, each=EACH[:1], tries=3)
    assert robot.run().success
    assert robot.begun[1:] == ["again"]


def test_what_was_forbidden_or_took_too_long_is_not_tried_again():
    for reason in ("vetoed", "timeout", "stopped"):
        robot = Robot(Outcome(False, reason, "not done: no"), each=EACH[:1], tries=3)
        assert robot.run().reason == reason
        assert len(robot.begun) == 1


def test_what_a_hand_holds_is_not_let_go_between_two_tries():
    robot = Robot(STALLED, DONE, each=EACH[:1], tries=3, hand=GraspPhase.HOLDING)
    assert robot.run(1.0).success
    assert not any(step.hands for step in robot.commands)


def test_a_robot_that_is_stopped_on_its_way_back_ends_the_task():
    robot = Robot(STALLED, DONE, each=EACH[:1], tries=3)
    robot.step()
    robot.safety = Safety.STOP
    outcome = robot.run(1.0)
    assert (outcome.success, outcome.reason) == (False, "stopped")


def test_each_thing_has_a_prompt_in_words_that_models_are_trained_on():
    words = default_vocabulary()
    known = {way for name in ("place", "rest") for same in prompts.table()[name]["said"] for way in same}
    fields = {"thing": "red bottle", "other": "blue box", "tray": "blue tray", "basket": "blue basket"}
    for way in known:
        task = parse(way.format(**fields), words)
        (prompt,) = task.each
        assert parse(prompt, words) == task
        assert any(prompt == other.format(**fields) for other in known)
    both = parse(PROMPT, words)
    more = (Query("green", "cup"),)
    assert both == Task("place", Query("red", "bottle"), "next_to", Query("blue", "box"), more)
    assert both.each == EACH
