"""A plant whose robot differs from the tables: by the seed, and back again."""

import numpy as np
import pytest

from neo_description import scenes
from neo_description.errors import NeoError
from neo_sim.plant import Plant, load_parameters


@pytest.fixture(scope="module")
def scene():
    return scenes.make("empty", 0)


def test_masses_and_arms_differ_by_the_seed_within_their_share_and_come_back(scene):
    made = scene.model.body_mass.copy(), scene.model.wrap_prm.copy()
    plant = Plant(scene, load_parameters(mass_error=0.1, arm_error=0.05), 1)
    of_seed = {}
    for seed in (1, 2, 1):
        plant.reset(seed)
        m = scene.model
        for now, was, share in ((m.body_mass, made[0], 0.1), (m.wrap_prm, made[1], 0.05)):
            ratio = now[was != 0.0] / was[was != 0.0]
            assert 0.5 * share < np.abs(ratio - 1.0).max() <= share
        assert m.body_subtreemass[1] == pytest.approx(m.body_mass[1:].sum())
        of_seed.setdefault(seed, []).append(m.body_mass.copy())
    np.testing.assert_array_equal(*of_seed[1])
    assert not np.array_equal(of_seed[1][0], of_seed[2][0])
    plant.params.mass_error = plant.params.arm_error = 0.0
    plant.reset(1)
    np.testing.assert_array_equal(scene.model.body_mass, made[0])
    np.testing.assert_array_equal(scene.model.wrap_prm, made[1])


def test_a_thing_tied_on_weighs_and_turns_as_a_point_there(scene):
    plant = Plant(scene, load_parameters(), 0)
    body = plant.index.body("r_wrist")
    mass, centre = scene.model.body_mass[body], scene.model.body_ipos[body].copy()
    whole = scene.model.body_subtreemass[1]
    plant.tie("r_wrist", 2.0, (0.0, 0.0, -0.1))
    assert scene.model.body_mass[body] == pytest.approx(mass + 2.0)
    np.testing.assert_allclose(
        scene.model.body_ipos[body], (mass * centre + 2.0 * np.array([0.0, 0.0, -0.1])) / (mass + 2.0)
    )
    assert scene.model.body_subtreemass[1] == pytest.approx(whole + 2.0)
    with pytest.raises(NeoError, match="more than 0"):
        plant.tie("r_wrist", -1.0, (0.0, 0.0, 0.0))
    plant.reset(0)
    assert scene.model.body_mass[body] == mass
