"""Primitives fitted to drawn outlines: exact where the outline is, robust where it lies, honest about it."""

import numpy as np
import pytest

from neo_description.objects import registry
from neo_perception.contour import Planes, outline, planes
from neo_perception.fit import Support, fit
from neo_perception.models import Models, of_thing
from neo_perception.silhouette import silhouette, silhouette_area, usual_area

K = np.array([[269.5, 0.0, 211.5], [0.0, 269.5, 119.5], [0.0, 0.0, 1.0]])
BASELINE = 0.08
CENTER = np.array([0.55, 0.03, 0.0])


def _camera(y):
    """A camera 0.5 m behind and 0.45 m above the thing, looking down at it."""
    ahead = np.array([0.5, 0.0, -0.45]) / np.hypot(0.5, 0.45)
    right = np.array([0.0, -1.0, 0.0])
    T = np.eye(4)
    T[:3, :3] = np.column_stack([right, np.cross(ahead, right), ahead])
    T[:3, 3] = (0.05, y, 0.45)
    return T


CAMERAS = (_camera(BASELINE / 2), _camera(-BASELINE / 2))


def _rendered(model, fitted, T):
    """A mask of the thing's outline, as a camera would draw it."""
    import cv2

    mask = np.zeros((240, 424), np.uint8)
    for hull in silhouette(model, fitted, K, T):
        cv2.fillConvexPoly(mask, np.rint(hull * 16).astype(np.int32), 1, shift=4)
    return mask


def _planes_of(model, fitted, keep=None):
    import cv2

    parts = []
    for T in CAMERAS:
        mask = _rendered(model, fitted, T)
        edge = outline(mask, cv2.boundingRect(mask))
        use = edge.inside_image if keep is None else edge.inside_image & keep(edge)
        parts.append(planes(edge.pixel[use], edge.normal[use], K, T))
    return Planes.join(parts)


def _truth(model, yaw=0.3):
    """A fit object that stands for the thing itself, at ``CENTER``."""
    from neo_perception.fit import Fit, _Solution

    x = np.r_[CENTER, model.size[2] / 2, [segment.radius for segment in model.segments]]
    if model.shape == "box":
        x = np.r_[CENTER, model.size[[2, 0, 1]] / 2]
    return Fit(CENTER, model.size, yaw, _Solution(x, np.eye(len(x)), 0.0, 1.0))


@pytest.mark.parametrize("name", list(registry()))
def test_each_registered_thing_is_found_within_millimetres_of_where_it_was_drawn(name):
    model = of_thing(registry()[name])
    touching = _planes_of(model, _truth(model))
    guess = CENTER + np.array([0.02, -0.01, 0.015])
    foot = CENTER[2] - model.size[2] / 2
    found = fit(touching, guess, model, 0.4, feet=(foot, foot + 0.03))
    assert np.linalg.norm(found.center - CENTER) < 0.006
    np.testing.assert_allclose(found.size, model.size, atol=0.006)
    assert found.cost < 1.3
    standing = fit(touching, guess, model, 0.4, Support(foot, 0.003), near=found)
    assert np.linalg.norm(standing.center - CENTER) < 0.005
    assert standing.covariance[2, 2] < found.covariance[2, 2]


def test_the_yaw_of_a_box_is_found():
    model = of_thing(registry()["yellow_box"])
    for yaw in (-1.2, -0.4, 0.3, 1.0):
        found = fit(_planes_of(model, _truth(model, yaw)), CENTER + 0.01, model, 0.4)
        assert abs((found.yaw - yaw + np.pi / 2) % np.pi - np.pi / 2) < 0.06


def test_half_an_outline_is_enough_with_the_registrys_sizes_and_says_that_it_knows_less():
    model = of_thing(registry()["red_bottle"])
    foot = (CENTER[2] - model.size[2] / 2,)
    whole = fit(_planes_of(model, _truth(model)), CENTER + 0.01, model, 0.4, feet=foot)
    left_only = _planes_of(model, _truth(model), lambda edge: edge.normal[:, 0] < 0.0)
    half = fit(left_only, CENTER + 0.01, model, 0.4, feet=foot)
    assert np.linalg.norm(half.center - CENTER) < 0.012
    assert np.trace(half.covariance) > 1.3 * np.trace(whole.covariance)


def test_a_piece_of_outline_that_belongs_to_something_else_pulls_little():
    model = of_thing(registry()["orange_ball"])
    touching = _planes_of(model, _truth(model))
    rng = np.random.default_rng(0)
    wrong = rng.choice(len(touching), len(touching) // 6, replace=False)
    # A bite of 6 px out of the outline: the planes there are turned inwards.
    angle = 6.0 * touching.pixel[wrong]
    turned = touching.normal.copy()
    turned[wrong] -= angle[:, None] * touching.ray[wrong]
    turned /= np.linalg.norm(turned, axis=1)[:, None]
    bitten = Planes(turned, touching.ray, touching.origin, touching.pixel)
    found = fit(bitten, CENTER + 0.01, model, 0.4)
    assert np.linalg.norm(found.center - CENTER) < 0.008


def test_the_right_shape_fits_best():
    things = registry()
    for name in ("red_bottle", "green_cup", "yellow_box", "orange_ball"):
        true = of_thing(things[name])
        touching = _planes_of(true, _truth(true))
        costs = {}
        for other in ("red_bottle", "green_cup", "yellow_box", "orange_ball"):
            model = of_thing(things[other])
            feet = (CENTER[2] - true.size[2] / 2,)
            costs[other] = fit(touching, CENTER + 0.01, model, 0.4, feet=feet).cost
        assert min(costs, key=costs.get) == name, costs


def test_an_outline_runs_half_way_between_inside_and_outside_with_outward_normals():
    import cv2

    mask = np.zeros((100, 100), np.uint8)
    cv2.circle(mask, (50, 40), 20, 1, -1)
    edge = outline(mask, (30, 20, 41, 41))
    off = edge.pixel - (50, 40)
    radius = np.linalg.norm(off, axis=1)
    assert radius.mean() == pytest.approx(20.3, abs=0.3)
    assert radius.std() < 0.35
    assert np.all(np.sum(off / radius[:, None] * edge.normal, axis=1) > 0.97)


def test_an_outline_at_the_images_border_is_marked():
    mask = np.zeros((60, 80), np.uint8)
    mask[0:30, 50:80] = 1
    edge = outline(mask, (50, 0, 30, 30))
    assert 0.3 < edge.inside_image.mean() < 0.7
    inner = edge.pixel[edge.inside_image]
    assert inner[:, 0].max() < 79
    assert inner[:, 1].min() > 0


def test_models_know_lesser_parts_and_other_colours_of_a_class():
    models = Models()
    assert models.trims["red"] == {"white"}
    assert models.trims["green"] == {"black"}
    first, *others = models.of("green")
    assert (first.class_name, first.known) == ("cup", True)
    assert "bottle" in {model.class_name for model in others}
    assert not any(model.known for model in others)
    assert len(of_thing(registry()["red_bottle"]).segments) == 3


def test_the_area_of_a_silhouette_counts_overlapping_parts_once():
    model = of_thing(registry()["red_bottle"])
    truth = _truth(model)
    drawn = _rendered(model, truth, CAMERAS[0]).sum()
    assert silhouette_area(model, truth, K, CAMERAS[0]) == pytest.approx(drawn, rel=0.08)
    assert usual_area(model, CENTER, K, CAMERAS[0]) == silhouette_area(model, truth, K, CAMERAS[0])
