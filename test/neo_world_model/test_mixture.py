"""Windows are mixed by source, repeatable, and what is held out stays out."""

import numpy as np
import pytest
from toy import episode

from neo_description.errors import NeoError
from neo_world_model.episode import THINGS
from neo_world_model.mixture import Mixture, lit
from neo_world_model.modalities import PROVENANCE, SOURCES
from neo_world_model.store import Store

ALL = {"sim": 1.0, "web_video": 1.0}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    made = Store.create(tmp_path_factory.mktemp("store"))
    for i in range(20):
        made.add(episode(i, 20, "web_video" if i % 5 == 4 else "sim"))
    return made


def test_a_source_has_its_share_whatever_its_size(store):
    batch = Mixture([store], {"sim": 1.0, "web_video": 3.0}, 8).batch(2000, 0)
    share = np.mean(batch["source"] == SOURCES.index("web_video"))
    assert abs(share - 0.75) < 0.05


def test_the_same_seed_and_number_give_the_same_batch(store):
    a, b = (Mixture([store], ALL, 8, seed=3) for _ in range(2))
    b.batch(5, 0)
    for name, values in a.batch(5, 7).items():
        np.testing.assert_array_equal(values, b.batch(5, 7)[name])
    assert not np.array_equal(a.batch(5, 7)["proprio"], a.batch(5, 8)["proprio"])


def test_another_lamp_is_brighter_or_darker_and_leaves_colours_their_names():
    grey = np.stack([np.arange(256, dtype=np.uint8)] * 3, axis=-1)
    seen = [lit(grey, 0.3, np.random.default_rng(seed)).astype(int) for seed in range(50)]
    assert all((np.diff(rows, axis=0) >= 0).all() for rows in seen)
    gains = np.array([rows[128] / 128.0 for rows in seen])
    assert np.std(gains.mean(axis=1)) > 0.1
    assert (np.abs(np.log(gains)) < 1.25 * 0.3 + 0.01).all()
    assert (np.ptp(gains, axis=1) / gains.mean(axis=1) < 0.16).all()


def test_a_window_is_lit_alike_in_both_eyes_and_at_all_times(store):
    plain, other = (Mixture([store], {"sim": 1.0}, 8, light=light).batch(1, 0) for light in (0.0, 0.3))
    before, after = plain["vision"][..., 0], other["vision"][..., 0]
    assert not np.array_equal(before, after)
    assert all(len(np.unique(after[before == value])) == 1 for value in np.unique(before))
    np.testing.assert_array_equal(plain["touch"], other["touch"])


def test_what_a_source_lacks_is_marked_and_zero(store):
    batch = Mixture([store], ALL, 8).batch(50, 0)
    video = batch["source"] == SOURCES.index("web_video")
    assert video.any()
    assert batch["has_vision"].all()
    assert not batch["has_proprio"][video].any()
    assert batch["has_proprio"][~video].all()
    assert not batch["proprio"][video].any()


def test_held_out_episodes_are_never_drawn(store):
    def seen(held):
        mixture = Mixture([store], ALL, 20, held_out=5, held=held)
        return {values.tobytes() for n in range(20) for values in mixture.batch(20, n)["vision"][:, 0]}

    assert not seen(True) & seen(False)


@pytest.mark.parametrize("helped", [False, True])
def test_what_a_policy_did_before_somebody_took_over_counts_as_failed(tmp_path, helped):
    made = episode(0, 40, "on_policy")
    made.provenance[:] = PROVENANCE.index("policy")
    made.provenance[20 if helped else 40 :] = PROVENANCE.index("teacher")
    made.success = True
    store = Store.create(tmp_path / "store")
    store.add(made)
    batch = Mixture([store], {"on_policy": 1.0}, 8, context=3).batch(200, 0)
    by_policy = batch["provenance"][:, 2] == PROVENANCE.index("policy")
    assert by_policy.any()
    np.testing.assert_array_equal(batch["failed"], by_policy & helped)
    np.testing.assert_array_equal(batch["succeeded"], ~batch["failed"])


def test_no_data_for_the_mix_is_an_error_that_names_what_there_is(store):
    with pytest.raises(NeoError, match="sim, web_video"):
        Mixture([store], {"teleop": 1.0}, 8)
    with pytest.raises(NeoError, match="no source radio"):
        Mixture([store], {"radio": 1.0}, 8)


def test_a_window_knows_where_things_were_when_its_episode_began(tmp_path):
    made = Store.create(tmp_path)
    known, unknown = episode(0, 30), episode(1, 30, "web_video")
    places = np.random.default_rng(0).normal(size=(30, THINGS, 3)).astype(np.float32)
    known.privileged["places"] = places
    made.add(known)
    made.add(unknown)
    batch = Mixture([made], ALL, 8, held_out=100, mirror=0.5).batch(40, 0)
    video = batch["source"] == SOURCES.index("web_video")
    assert np.isnan(batch["privileged_begun"][video]).all()
    begun = batch["privileged_begun"][~video]
    ways = [places[0], places[0] * [1.0, -1.0, 1.0]]
    alike = np.array([[np.allclose(row, way) for way in ways] for row in begun])
    assert alike.any(axis=1).all()
    assert alike.any(axis=0).all()
