"""Features are stacked as the table says, and come back."""

import numpy as np
import pytest

from neo_description.errors import NeoError
from neo_description.tables import BODY, HAND, TAXELS
from neo_world_model import modalities


def test_a_stacked_modality_comes_back_in_si_units():
    rng = np.random.default_rng(0)
    parts = {name: rng.standard_normal(n) for name, (n, _) in modalities.features("force").items()}
    stacked = modalities.stack("force", parts)
    assert stacked.dtype == np.float32
    assert stacked.shape == (modalities.size("force"),)
    back = modalities.unstack("force", stacked)
    assert list(back) == list(modalities.features("force"))
    for name, values in parts.items():
        np.testing.assert_allclose(back[name], values, rtol=1e-5)


def test_sizes_follow_from_the_robots_tables():
    sizes = {name: n for name, (n, _) in modalities.features("proprio").items()}
    assert sizes["body_joint_position"] == len(BODY.joints)
    assert sizes["l_hand_joint_velocity"] == len(HAND.joints)
    assert modalities.shapes()["touch"][0][1:] == (2, len(TAXELS), 3)


@pytest.mark.parametrize(
    ("change", "word"), [({"gaze": np.zeros(2)}, "gaze has 2"), ({"nose": np.zeros(1)}, "nose")]
)
def test_a_wrong_feature_is_named(change, word):
    parts = {name: np.zeros(n) for name, (n, _) in modalities.features("action").items()} | change
    with pytest.raises(NeoError, match=word):
        modalities.stack("action", parts)


def test_a_modality_that_is_not_stacked_is_refused():
    with pytest.raises(NeoError, match="proprio, force, action"):
        modalities.size("vision")


def test_a_pose_survives_its_nine_numbers():
    rng = np.random.default_rng(1)
    Q, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    T = np.eye(4)
    T[:3, :3] = Q * np.sign(np.linalg.det(Q))
    T[:3, 3] = rng.standard_normal(3)
    np.testing.assert_allclose(modalities.pose_of(modalities.pose9(T)), T, atol=1e-12)


def test_nine_numbers_of_a_network_give_a_rotation():
    T = modalities.pose_of(np.random.default_rng(2).standard_normal(9))
    np.testing.assert_allclose(T[:3, :3].T @ T[:3, :3], np.eye(3), atol=1e-12)
    assert np.linalg.det(T[:3, :3]) > 0.0
