"""Arms, friction and stretch of the body's tendons: found while it moves, kept in a file, made up for."""

import numpy as np
import pytest

from neo_body_control.controller import BodyController
from neo_body_control.settings import load_parameters
from neo_body_control.tendon_calibration import TendonCalibration
from neo_body_control.tendon_calibrator import TendonCalibrator
from neo_body_control.tendon_motions import Motion, motions
from neo_bringup import calibrate_tendons
from neo_description import scenes
from neo_description.errors import NeoError
from neo_description.routing import ROUTINGS
from neo_description.tables import BODY
from neo_description.tendon_routes import privileged_arms
from neo_description.tension_distribution import TensionDistribution
from neo_sim.plant import Plant
from neo_sim.plant import load_parameters as load_plant_parameters


def calibration(**fields):
    made = TendonCalibration.given("", 0.008, 0.01, 20000.0)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_tensions_for_other_arms_make_the_same_torques_within_the_limits():
    rng = np.random.default_rng(0)
    c = calibration(arm=rng.uniform(0.9, 1.1, len(BODY.tendons)))
    distribute = TensionDistribution(BODY)
    for _ in range(20):
        torque = rng.uniform(-0.6, 0.6, len(BODY.joints)) * BODY.effort
        f = c.tensions(distribute(torque), distribute.most)
        np.testing.assert_allclose(c.torques(f), torque, atol=1e-9)
        assert (f >= BODY.pretension - 1e-9).all()
        assert (f <= BODY.tension_max + 1e-9).all()


def test_without_a_file_nothing_is_changed():
    c = calibration()
    assert not c.measured
    arms = np.abs(BODY.moment_arms).max(axis=0)[0::2]
    np.testing.assert_allclose(c.drive_damping(), 2 * 160.0 * arms**2)
    assert not c.friction_torque(BODY.pretension, np.ones(len(BODY.joints))).any()


def test_a_file_is_read_as_it_was_written_and_a_bad_one_is_refused(tmp_path):
    file = tmp_path / "t.yaml"
    rng = np.random.default_rng(1)
    c = calibration(arm=rng.uniform(0.95, 1.05, 62), friction=np.full(31, 0.03), source="here")
    c.save(file)
    read = TendonCalibration.load(file)
    np.testing.assert_allclose(read.arm, c.arm, atol=1e-5)
    np.testing.assert_allclose(read.friction, 0.03)
    assert (read.source, read.lag) == ("here", 0.008)
    body = BodyController(load_parameters(tendon_calibration=str(file)))
    assert body.tendons.calibration.measured
    file.write_text(file.read_text().replace("lag: 0.008", "lag: -1"))
    with pytest.raises(NeoError, match=r"lag outside 0 to 0\.1"):
        TendonCalibration.load(file)
    file.write_text("tendons: {}")
    with pytest.raises(NeoError, match="no calibration of tendons"):
        TendonCalibration.load(file)
    with pytest.raises(NeoError, match="cannot read"):
        BodyController(load_parameters(tendon_calibration=str(tmp_path / "none.yaml")))


@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_standing_robot_finds_the_arms_of_what_it_moves(capsys, routing):
    differs = {"mass_error": 0.1, "arm_error": 0.05, "tendon_routing": routing}
    plant = Plant(scenes.make("empty", 5, routing=routing), load_plant_parameters(**differs), 5)
    plan = [m for m in motions(1) if m.doing in ("squats and rises", "moves its arms")][:5]
    calibrator = TendonCalibrator(BodyController(load_parameters(tendon_routing=routing)), plan)
    found = calibrate_tendons.calibrate(plant, calibrator)
    true = privileged_arms(plant.model)
    measured = found.arm_error > 0.0
    assert measured.sum() >= 40
    assert np.abs(true - 1.0)[measured].max() > 0.03
    assert np.abs(found.arm - true)[measured].max() < 0.003
    assert found.lag == pytest.approx(0.008, abs=0.002)
    assert np.median(found.stiffness) == pytest.approx(20000.0, rel=0.2)
    assert "moves its arms" in capsys.readouterr().out


def test_it_says_why_it_cannot(tmp_path):
    plant = Plant(scenes.make("empty", 0), load_plant_parameters(), 0)
    far = [Motion("reaches too far", 1.0, {"base_height": 0.1})]
    with pytest.raises(NeoError, match="reaches too far: refused: base_height"):
        calibrate_tendons.calibrate(plant, TendonCalibrator(BodyController(load_parameters()), far))
