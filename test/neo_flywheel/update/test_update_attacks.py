"""Attacks on updates are refused, each for its own reason, by a robot that accepts what is honest."""

import pytest

from neo_bringup.flywheel_bench import update
from neo_bringup.flywheel_bench.update_attacks import ATTACKS

WHY = {
    "tampered_file": "act.onnx is not what was signed",
    "tampered_metadata": "Observed hash",
    "endless_metadata": "exceeding the maximum allowed length",
    "endless_file": "act.onnx is not what was signed",
    "rolled_back_image": "New timestamp version",
    "rolled_back_after_lost_cache": "older than what was seen before",
    "frozen": "timestamp.json is expired",
    "frozen_by_the_clock": "the clock says",
    "mixed_snapshot": "Observed",
    "mixed_targets": "Observed",
    "mixed_release": "do not agree about stable/1.1/act.onnx",
    "incomplete_release": "other files than it was released with",
    "wrong_key": "was signed by 0/1 keys",
    "wrong_key_under_a_true_name": "targets was signed by 0/1 keys",
    "wrong_path": "the image repository lists none",
    "canary_for_others": "is for canaries only",
    "revoked_key": "targets was signed by 0/1 keys",
    "revoked_timestamp_key": "timestamp was signed by 0/1 keys",
    "one_of_two_signatures": "root was signed by 1/2 keys",
    "one_signature_twice": "root was signed by 1/2 keys",
    "unreleased": "the image repository lists none",
    "withdrawn": "the image repository lists none",
    "other_robots_file": "robots/neo-1.json: Observed hash",
    "other_robots_assignment": "for robot 'neo-2'",
    "old_director": "New timestamp version",
    "old_assignment": "assignment 1 is older",
    "other_fleets_director": "was signed by 0/1 keys",
    "pickle": "may hold pickle",
    "path_out_of_the_slot": "../../robot.json",
}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_is_refused(base, tmp_path, attack):
    assert WHY[attack.__name__] in update.attacked(base, tmp_path / "lab", attack)


def test_a_robot_that_refuses_nothing_is_noticed(base, tmp_path):
    """The bench can fail: an honest release counts as an attack that was not refused."""

    def honest(lab, home):
        lab.publish("1.1")
        return lambda: update.take(update.agent(home))

    assert update.attacked(base, tmp_path / "lab", honest) == ""
