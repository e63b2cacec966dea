"""Campaigns: who may ask, for how long, and which moments of a recording answer."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from flywheel_bag import START, write

from neo_description.errors import NeoError
from neo_flywheel import campaign as campaigns
from neo_flywheel import story
from neo_flywheel.campaign import Campaign, Trigger, new_key, sign, verify

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
QUESTION = {
    "campaign": "spills", "version": 1, "starts": "2026-11-01T00:00:00Z", "expires": "2026-12-01T00:00:00Z",
    "triggers": [{"kind": "failure"}], "before": 2.0, "after": 1.0, "images": True, "max_clips": 5,
    "max_bytes": 10_000_000,
}  # fmt: skip


def asks(*triggers, **more):
    return Campaign.parse({**QUESTION, "triggers": list(triggers), **more})


@pytest.fixture(scope="module")
def key():
    return new_key()


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = write(
        tmp_path_factory.mktemp("story") / "bag", pictures=False,
        surprises={3.0: 0.97, 15.0: 0.999},
        objects={2.0: ("red", "cup"), 4.0: ("red", "cup"), 12.0: ("blue", "ball")},
        notes={
            0.5: ("prompt", "Put the red cup on the tray"), 1.0: ("provenance", "policy"),
            6.0: ("provenance", "teleop"), 7.0: ("provenance", "policy"),
            8.0: ("outcome", "lost: it slipped"), 9.0: ("prompt", "wave"),
            10.0: ("outcome", "done"), 11.0: ("provenance", "teleop"),
            13.0: ("outcome", "refused: no such thing"),
        },
    )  # fmt: skip
    return story.read(folder)


def at(campaign, told):
    return [((w.first_ns - START) / 1e9, (w.last_ns - START) / 1e9, w.why) for w in campaign.windows(told)]


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ({"kind": "surprise", "quantile": 0.95}, [(1, 4, "surprise 0.9700"), (13, 16, "surprise 0.9990")]),
        ({"kind": "surprise", "quantile": 0.99}, [(13, 16, "surprise 0.9990")]),
        ({"kind": "failure"}, [(6, 9, "failure: lost: it slipped")]),
        ({"kind": "prompt", "words": ["TRAY", "bowl"]}, [(0, 1.5, "prompt Put the red cup on the tray")]),
        ({"kind": "prompt", "words": ["up"]}, []),
        ({"kind": "object", "name": "red cup"}, [(0, 3, "object red cup")]),
        ({"kind": "object", "name": "ball"}, [(10, 13, "object blue ball")]),
        ({"kind": "intervention"}, [(4, 7, "intervention")]),
    ],
)
def test_each_trigger_finds_its_moments_and_no_others(told, trigger, expected):
    found = at(asks(trigger), told)
    assert [row[2] for row in found] == [row[2] for row in expected]
    for (first, last, _), (wanted_first, wanted_last, _) in zip(found, expected, strict=True):
        assert (first, last) == pytest.approx((wanted_first, wanted_last), abs=0.21)


def test_windows_that_touch_are_one(told):
    both = asks({"kind": "failure"}, {"kind": "intervention"}, before=5.0, after=0.5)
    (window,) = at(both, told)
    assert window[:2] == pytest.approx((1.0, 8.5), abs=0.05)
    assert window[2] == "intervention"


def test_a_signed_campaign_comes_back_as_it_was(key):
    pem, trusted = key
    campaign = asks({"kind": "surprise", "quantile": 0.99}, {"kind": "prompt", "words": ["cup"]})
    assert verify(sign(campaign, pem), trusted, NOW) == campaign


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows["signed"].update(expires="2027-06-01T00:00:00Z"),
        lambda rows: rows["signed"].update(max_bytes=10**12),
        lambda rows: rows["signed"]["triggers"].append({"kind": "intervention"}),
        lambda rows: rows["signatures"].clear(),
        lambda rows: rows["signatures"][0].update(sig="00" * 64),
        lambda rows: rows["signatures"][0].update(sig="no hex"),
        lambda rows: rows["signatures"][0].update(keyid="unknown"),
    ],
)
def test_whatever_is_changed_after_signing_is_refused(key, change):
    pem, trusted = key
    rows = json.loads(sign(Campaign.parse(QUESTION), pem))
    change(rows)
    with pytest.raises(NeoError, match="their signature must hold"):
        verify(json.dumps(rows).encode(), trusted, NOW)


def test_a_key_that_is_not_trusted_signs_nothing(key):
    pem, _ = key
    _, other = new_key()
    for trusted in (other, {}):
        with pytest.raises(NeoError, match="trusted are"):
            verify(sign(Campaign.parse(QUESTION), pem), trusted, NOW)


@pytest.mark.parametrize("days", [-60, 60])
def test_before_its_start_and_after_its_end_it_does_not_run(key, days):
    pem, trusted = key
    with pytest.raises(NeoError, match="campaign spills runs from 2026-11-01T00:00:00Z to"):
        verify(sign(Campaign.parse(QUESTION), pem), trusted, NOW + timedelta(days=days))


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"signed": 1, "signatures": [1]}', b" " * 70000])
def test_what_is_no_campaign_is_refused(document):
    with pytest.raises(NeoError, match="campaign"):
        verify(document, {}, NOW)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"surplus": 1}, "too many or missing: \\['surplus'\\]"),
        ({"expires": "2026-10-01T00:00:00Z"}, "ends after it starts"),
        ({"expires": "2028-01-01T00:00:00Z"}, "within a year"),
        ({"starts": "2026-11-01T00:00:00"}, "a time with its zone"),
        ({"campaign": "../x"}, "small letters"),
        ({"before": float("nan")}, "0.0 to 300.0 is allowed"),
        ({"after": 301}, "0.0 to 300.0 is allowed"),
        ({"max_clips": 0}, "above 0"),
        ({"max_bytes": True}, "above 0"),
        ({"images": "yes"}, "true or false"),
        ({"triggers": []}, "at least one"),
        ({"triggers": [{"kind": "mood"}]}, "one of surprise, failure, prompt, object, intervention"),
        ({"triggers": [{"kind": "surprise", "quantile": 1.0}]}, "between 0 and 1"),
        ({"triggers": [{"kind": "surprise"}]}, "it takes \\['quantile'\\]"),
        ({"triggers": [{"kind": "prompt", "words": "cup"}]}, "a list of words"),
        ({"triggers": [{"kind": "object", "name": " "}]}, "a name as 'red cup'"),
        ({"triggers": [{"kind": "failure", "name": "x"}]}, "it takes \\[\\]"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_with_what_is_allowed(change, message):
    with pytest.raises(NeoError, match=message):
        Campaign.parse({**QUESTION, **change})


def test_triggers_are_written_as_they_are_read():
    for row in (
        {"kind": "prompt", "words": ["a", "b"]},
        {"kind": "surprise", "quantile": 0.5},
        {"kind": "failure"},
    ):
        assert Trigger.parse(row).as_json() == row


def test_a_broken_trusted_keys_file_is_refused(tmp_path):
    for content in ("", "[]", '{"a": {"keytype": "ed25519"}}'):
        (tmp_path / "keys").write_text(content)
        with pytest.raises(NeoError, match="cannot read trusted keys"):
            campaigns.trusted_keys([tmp_path / "keys"])


def test_a_key_that_is_none_cannot_sign():
    with pytest.raises(NeoError, match="no ed25519 private key"):
        sign(Campaign.parse(QUESTION), b"secret")
