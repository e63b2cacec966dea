"""`neo bench retarget` measures what its targets name, and finds hands that break their limits."""

import math

import numpy as np
import pytest

from neo_bringup.bench import retarget
from neo_bringup.bench.harness import Request, known_targets
from neo_teleop.retargeting import hand


@pytest.fixture
def request_(tmp_path):
    return Request("retarget", (0,), True, "", "", tmp_path)


def measured(request_, monkeypatch):
    monkeypatch.setattr(retarget, "POSTURES", 1)
    monkeypatch.setattr(retarget, "BODIES", 2)
    monkeypatch.setattr(retarget, "BETWEEN", 5)
    return {part: retarget.measure(part, request_, print) for part in retarget.parts(request_)}


def test_every_target_is_measured_and_nothing_else(request_, monkeypatch):
    figures = {f.id: f for f in retarget.figures(measured(request_, monkeypatch))}
    assert set(figures) == set(known_targets("retarget"))
    assert all(math.isfinite(f.value) and f.n for f in figures.values())
    assert figures["retarget.broken"].value == 0
    assert figures["retarget.tip_error_mm_p95"].value < 0.1
    assert figures["retarget.noisy_tip_error_mm_mean"].value > 0.3


def test_a_hand_beyond_its_limits_counts_as_broken_and_its_error_is_seen(request_, monkeypatch):
    class Bent(hand.HandRetargeter):
        def retarget(self, points):
            pose = super().retarget(points)
            return hand.HandPose(
                pose.joints + np.eye(22)[6] * 2.0, pose.T_frame_wrist, pose.scale, pose.error
            )

    monkeypatch.setattr(hand, "HandRetargeter", Bent)
    figures = {f.id: f.value for f in retarget.figures(measured(request_, monkeypatch))}
    assert figures["retarget.broken"] == 18  # six frames of each hand
    assert figures["retarget.tip_error_mm_mean"] > 5.0
