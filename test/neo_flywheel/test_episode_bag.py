"""Episodes as recordings: back as they were, taken by the library, and what a courier lets out of them."""

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from flywheel_bag import START, portrait

from neo_bringup.collect import bag
from neo_description.errors import NeoError
from neo_flywheel import recovery, story
from neo_flywheel.courier import Courier
from neo_flywheel.message_types import TypeBook
from neo_flywheel.metadata import read_custom
from neo_flywheel.privacy import Privacy
from neo_flywheel.store import episode_bag
from neo_flywheel.store.library import Library
from neo_world_model.episode import LABELS, Episode
from neo_world_model.modalities import shapes

STEPS = 8
SEEN = Privacy(clips=True, images=True, daily_bytes=10**9)


def made(seed=0, vision=None):
    rng = np.random.default_rng(seed)
    fields = {name: rng.random((STEPS, *shape)).astype(dtype) for name, (shape, dtype) in shapes().items()}
    fields["touch_valid"] = rng.random(fields["touch_valid"].shape) < 0.5
    fields["vision"] = (
        rng.integers(0, 256, fields["vision"].shape).astype(np.uint8) if vision is None else vision
    )
    labels = {name: rng.random((STEPS, *shape)).astype(np.float32) for name, shape in LABELS.items()}
    labels["places"][:, 2:] = np.nan
    by = np.array([1, 1, 1, 1, 2, 2, 1, 6], np.int8)
    return Episode(
        "on_policy", fields, by, prompt="pick up the red bottle", success=True, seed=seed, kind="helped",
        progress=np.linspace(0, 1, STEPS).astype(np.float32), things=("red bottle", "tray"),
        target="red bottle", privileged=labels,
    )  # fmt: skip


def save(episode, folder, **custom):
    episode_bag.save(episode, folder, TypeBook([Path(sys.prefix)]), "neo_1", START, custom)
    return folder


def same(one, other, but=()):
    for name in one.fields.keys() - set(but):
        assert np.array_equal(one.fields[name], other.fields[name]), name
        assert one.fields[name].dtype == other.fields[name].dtype
    for name, values in one.privileged.items():
        assert np.array_equal(values, other.privileged[name], equal_nan=True), name
    assert np.array_equal(one.provenance, other.provenance)
    assert np.array_equal(one.progress, other.progress)
    for name in ("source", "prompt", "success", "seed", "kind", "things", "target", "place"):
        assert getattr(one, name) == getattr(other, name)


def test_an_episode_comes_back_as_it_was(tmp_path):
    episode = made()
    same(episode, episode_bag.load(save(episode, tmp_path / "bag")))


def test_what_reads_recordings_reads_it_too(tmp_path):
    episode = made()
    (read,) = bag.read(save(episode, tmp_path / "bag"))
    same(episode, read)


def test_the_library_takes_it_and_knows_what_it_says(tmp_path):
    folder = save(made(), tmp_path / "bag", surprise="0.91")
    with Library(tmp_path / "library") as library:
        added = library.add_bag(folder)
        assert added.reason == ""
        row = library.catalogue.get(str(added.id))
    assert (row.robot, row.prompt, row.outcome) == ("neo_1", "pick up the red bottle", "done")
    assert row.surprise == pytest.approx(0.91)
    assert 0.0 < row.autonomy < 1.0


def test_a_recording_of_no_episode_is_refused(tmp_path):
    from neo_bringup.flywheel_bench import bags

    folder = bags.made(tmp_path / "bag")
    assert not episode_bag.holds(folder)
    with pytest.raises(NeoError, match="a recording of no episode"):
        episode_bag.load(folder)


def carried(tmp_path, episode, privacy, **custom):
    """The episode as it left, None when it did not; and what was said."""
    sent, said = {}, []
    privacy.save(tmp_path / "home" / "privacy.yaml")
    courier = Courier(
        sent.__setitem__, tmp_path / "home" / "privacy.yaml", tmp_path / "home", lambda: START / 1e9
    )
    folder = save(episode, tmp_path / "bag", **custom)
    left = courier.carry_episode("neo_1", folder, said.append)
    assert left == (len(sent) == 1)
    assert not courier.carry_episode("neo_1", folder, said.append)
    if not sent:
        return None, said
    (key, data), arrived = sent.popitem(), tmp_path / "arrived"
    assert key.startswith("episode/neo_1/")
    arrived.mkdir()
    (arrived / "arrived_0.mcap").write_bytes(data)
    recovery.reindex(arrived)
    assert read_custom(arrived)["episode"] == read_custom(folder)["episode"]
    return episode_bag.load(arrived), said


def test_a_courier_takes_a_whole_episode_once(tmp_path):
    episode = made()
    arrived, said = carried(tmp_path, episode, SEEN)
    same(episode, arrived, but=["vision"])
    assert arrived.fields["vision"].shape == episode.fields["vision"].shape
    assert said == []


def test_without_consent_to_images_no_picture_leaves(tmp_path):
    arrived, _ = carried(tmp_path, made(), replace(SEEN, images=False))
    assert "vision" not in arrived.fields
    assert len(arrived) == STEPS


@pytest.mark.parametrize(
    ("privacy", "why"),
    [
        (Privacy(daily_bytes=10**9), "no consent to clips"),
        (replace(SEEN, daily_bytes=100), "may still leave today"),
        (replace(SEEN, no_go=("00:00-23:59",)), "no-go time"),
    ],
)
def test_what_is_not_allowed_stays(tmp_path, privacy, why):
    arrived, said = carried(tmp_path, made(), privacy)
    assert arrived is None
    assert why in said[0]


def test_a_face_is_covered_before_it_leaves(tmp_path):
    _, height, width, _ = shapes()["vision"][0]
    small = cv2.resize(portrait(), (width, height), interpolation=cv2.INTER_AREA)[..., ::-1]
    shown = np.broadcast_to(small, (STEPS, 2, height, width, 3)).copy()
    arrived, _ = carried(tmp_path, made(vision=shown), SEEN)
    face = np.s_[:, :, 14:30, 36:47]
    before, after = (
        np.abs(np.diff(e[face].astype(float), axis=3)).mean() for e in (shown, arrived.fields["vision"])
    )
    assert after < 0.5 * before
    wall = np.s_[:, :, :, :16]
    assert np.abs(shown[wall].astype(float) - arrived.fields["vision"][wall]).mean() < 4.0


def test_a_broken_episode_is_told_and_never_raises_another_error(tmp_path):
    folder = save(made(), tmp_path / "bag")
    file = story.bag_file(folder)
    file.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(NeoError):
        episode_bag.load(folder)
