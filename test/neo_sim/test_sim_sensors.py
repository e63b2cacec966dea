"""Sensors: each differs from the truth by what its parameters say, repeatably, and never by more."""

import numpy as np
import pytest

from neo_sim.sensors import Encoders, Noise


def rng(seed=0):
    return np.random.default_rng(seed)


def test_noise_has_the_size_asked_for_and_the_bias_stays():
    sensor = Noise(200, rng(), noise=0.5, bias=2.0)
    samples = np.stack([sensor(np.zeros(200)) for _ in range(500)])
    assert samples.std(axis=0).mean() == pytest.approx(0.5, rel=0.05)
    np.testing.assert_allclose(samples.mean(axis=0), sensor.bias, atol=0.12)
    assert sensor.bias.std() == pytest.approx(2.0, rel=0.2)


def test_the_same_seed_repeats_and_another_differs():
    first, again, other = (Noise(3, rng(seed), noise=1.0) for seed in (1, 1, 2))
    truth = np.zeros(3)
    for _ in range(200):  # past more than one block of drawn numbers
        value = first(truth)
        np.testing.assert_array_equal(value, again(truth))
        assert (value != other(truth)).all()


def test_quantisation_gives_whole_steps():
    value = Noise(50, rng(), noise=1.0, resolution=0.25)(np.zeros(50))
    np.testing.assert_allclose(value / 0.25, np.rint(value / 0.25), atol=1e-12)
    assert len(np.unique(value)) > 5


def test_encoder_velocity_settles_at_the_true_one_within_20_ms():
    encoders = Encoders(Noise(1, rng(), noise=0.0), cutoff=60.0)
    speed = 1.5
    for k in range(11):
        position, velocity = encoders(np.array([speed * 0.002 * k]))
    assert position == pytest.approx(speed * 0.02)
    assert velocity[0] == pytest.approx(speed, rel=0.01)
