"""A plant whose body's tendons run through sites: reels, sensors, errors of its arms, mixed-up parameters."""

import mujoco
import numpy as np
import pytest

from neo_description import scenes
from neo_description.errors import NeoError
from neo_description.routing import ROUTINGS, routing_of
from neo_description.tables import BODY
from neo_description.tendon_routes import privileged_arms
from neo_sim.plant import Plant, load_parameters
from neo_sim.wrist_tendons import WristTendons


@pytest.fixture(scope="module")
def made():
    return {routing: scenes.make("empty", 0, routing=routing) for routing in ROUTINGS}


def test_it_starts_at_rest_with_reels_homed_at_the_zero_posture(made):
    plant = Plant(made["routed"], seed=0)
    q = plant.data.qpos[plant.index.body_qpos]
    state = plant.body_state()
    np.testing.assert_allclose(state.tendon_length, routing_of("routed").lengths(q), atol=2e-5)
    for _ in range(150):
        plant.step()
    assert np.abs(plant.data.qpos[plant.index.body_qpos] - q).max() < 0.02
    assert not plant.privileged.fallen


def test_it_obeys_the_arms_of_its_posture(made):
    plant = Plant(made["routed"], load_parameters(tendon_routing="routed", friction=0.0))
    plant.step()
    index, data = plant.index, plant.data
    mujoco.mj_forward(plant.model, data)
    arms = BODY.moment_arms * routing_of("routed").scale(data.qpos[index.body_qpos])
    torque = arms @ data.ctrl[index.body_actuators]
    np.testing.assert_allclose(data.qfrc_actuator[index.body_qvel], torque, atol=1e-9)


def test_a_wrists_sensor_feels_the_hand_and_not_its_tendons(made):
    scale = routing_of("routed").scale
    q, felt = np.random.default_rng(0).uniform(BODY.q_min, BODY.q_max), {}
    for routing, scene in made.items():
        data, index = scene.data(), scene.index
        data.qpos[index.body_qpos] = q
        tension = 2.0 * BODY.pretension
        data.ctrl[index.body_actuators] = tension if routing == "routed" else scale(q) * tension
        mujoco.mj_forward(scene.model, data)
        felt[routing] = data.sensordata[np.concatenate([index.wrench("l_wrist"), index.wrench("r_wrist")])]
        if routing == "routed":
            assert np.abs(felt["routed"] - felt["fixed"]).max() > 5.0
            felt["routed"] = felt["routed"] + WristTendons(index)(data)
    np.testing.assert_allclose(felt["routed"], felt["fixed"], atol=1e-9)


def test_robots_of_a_seed_have_the_same_errors_in_both_routings(made):
    errors = {"mass_error": 0.1, "arm_error": 0.05}
    plants = {r: Plant(s, load_parameters(tendon_routing=r, **errors), 3) for r, s in made.items()}
    arms = {routing: privileged_arms(plant.model) for routing, plant in plants.items()}
    assert 0.03 < np.abs(arms["fixed"] - 1.0).max() <= 0.05
    np.testing.assert_allclose(arms["routed"], arms["fixed"], rtol=1e-9)
    np.testing.assert_allclose(*(plant.model.body_mass for plant in plants.values()))
    plant = plants["routed"]
    plant.params.mass_error = plant.params.arm_error = 0.0
    plant.reset(3)
    np.testing.assert_allclose(privileged_arms(plant.model), 1.0, rtol=1e-12)


def test_a_scene_with_other_tendons_than_asked_for_is_refused(made):
    with pytest.raises(NeoError, match="tendon_routing is fixed, but the scene's robot was made with routed"):
        Plant(made["routed"], load_parameters())
    with pytest.raises(NeoError, match="one of fixed, routed"):
        load_parameters(tendon_routing="winding")
