"""Field by field: what differs is found, named with its first moment, and nothing else is."""

import math

import numpy as np
import pytest
from replay_bags import answers, codec, outputs

from neo_flywheel.replay import table, verdict
from neo_flywheel.replay.compare import MISSING, SURPLUS, VALUE, alike, apart, topic_differences
from neo_flywheel.replay.table import Output, Tolerance

TOPIC = "r_hand/tendon_command"
EXACT = Output("header.stamp")


def differences(reference, fresh, output=EXACT):
    return topic_differences(TOPIC, output, reference, fresh, codec(), codec())


def judged(run_outputs, reference=None, cost=0.1, budgets=True):
    run = verdict.Run(run_outputs, 300, cost, np.full(300, 1e-3))
    row = table.row("r_hand_control")
    return verdict.judge(row, reference or outputs(), run, codec(), codec(), budgets)


def test_the_same_is_the_same_whatever_lies_between_fields():
    # the middleware leaves what it finds in memory in the bytes that align a field
    def with_padding(data):
        at = 4 + 8 + 5  # encapsulation, stamp, length and end of an empty frame_id: three bytes of padding
        return data[:at] + b"\xab\xcd\xef" + data[at + 3 :]

    reference = answers()
    assert with_padding(reference[7]) != reference[7]
    assert differences(reference, [with_padding(data) for data in answers()]) == []


def test_a_change_of_one_bit_is_found_with_its_field_place_and_moment():
    def change(tick, message):
        if tick in (120, 121):
            message.tension[5] = np.nextafter(message.tension[5], 9.0)

    (found,) = differences(answers(), answers(change=change))
    assert (found.kind, found.field, found.index, found.count, found.of) == (VALUE, "tension", 5, 2, 300)
    assert found.first == 120 * 2_000_000
    assert 0.0 < found.most < 1e-14
    assert found.sizes[120] == found.most or found.sizes[121] == found.most
    assert found.curves[0][119] == found.curves[1][119]


def test_messages_that_are_missing_or_more_are_differences():
    (missing,) = differences(answers(), answers(change=lambda tick, _: tick != 9))
    assert (missing.kind, missing.count, missing.first) == (MISSING, 1, 9 * 2_000_000)
    (surplus,) = differences(answers(count=290), answers())
    assert (surplus.kind, surplus.count, surplus.first) == (SURPLUS, 10, 290 * 2_000_000)


def test_a_second_message_with_the_same_stamp_is_one_more():
    fresh = answers()
    (surplus,) = differences(answers(), [*fresh, fresh[-1]])
    assert (surplus.kind, surplus.count) == (SURPLUS, 1)


def test_a_list_of_another_length_is_a_difference_without_a_size():
    def change(tick, message):
        if tick == 4:
            message.tension = [1.0]

    (found,) = differences(answers(), answers(change=change))
    assert math.isinf(found.most)
    assert found.fresh == "1 values"
    assert "by up to" not in verdict.words(found)


@pytest.mark.parametrize(
    ("a", "b", "size"),
    [
        (math.nan, math.nan, 0.0), (math.nan, 1.0, math.inf), (math.inf, math.inf, 0.0),
        (1.0, 1.5, 0.5), (True, False, 1.0), ("a", "a", 0.0), ("a", "b", math.inf), (None, 1.0, math.inf),
        (np.array([1.0, np.nan]), np.array([1.0, np.nan]), 0.0), (np.zeros(0), np.zeros(0), 0.0),
    ],
)  # fmt: skip
def test_how_far_two_values_are_apart(a, b, size):
    assert apart(a, b)[0] == size


def test_a_tolerance_bounds_each_value_and_the_mean():
    def off(tick, message):
        message.tension = np.array(message.tension) + 0.01

    fresh = answers(change=off)
    assert differences(answers(), fresh, Output("header.stamp", {"ten*": Tolerance(0.02)})) == []
    assert differences(answers(), fresh, Output("header.stamp", {"mode": Tolerance(0.02)}))
    (found,) = differences(answers(), fresh, Output("header.stamp", {"tension": Tolerance(0.02, mean=0.005)}))
    assert found.mean == pytest.approx(0.01)


def test_a_verdict_gives_reasons_in_the_order_of_time():
    def change(tick, message):
        if tick == 50:
            message.mode = 1

    fresh = outputs(change=change)
    fresh["r_hand/status"] = fresh["r_hand/status"][1:]
    found = judged(fresh)
    assert not found.same
    assert [d.kind for d in found.differences] == [MISSING, VALUE]
    assert "r_hand/tendon_command: mode differs" in found.reasons[1]
    assert "first at 0.100 s" in found.reasons[1]


def test_what_costs_more_than_its_budget_is_not_the_same():
    dear = judged(outputs(), cost=300 * 0.01)
    assert not dear.differences
    assert dear.reasons == ["cpu_us is 10000; at most 4000 is allowed"]
    assert judged(outputs(), cost=300 * 0.01, budgets=False).same
    assert judged(outputs()).same


def test_every_row_of_the_table_names_topics_that_there_are():
    for row in table.nodes().values():
        for topic in (*row.wanted, *row.outputs):
            assert table.type_of(topic)
        assert row.answer in row.outputs
        assert row.enabled.topic in row.outputs


def test_answers_that_are_alike_are_counted():
    fresh = answers(count=250, change=lambda tick, message: message.__setattr__("mode", int(tick == 7)))
    assert alike(TOPIC, EXACT, answers(), fresh, codec()) == 249
