"""Things are found by their words, and remembered."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from neo_world_model import config
from neo_world_model.actor import Memory
from neo_world_model.losses import losses
from neo_world_model.modalities import features, part, shapes, size
from neo_world_model.text import encode
from neo_world_model.where import cell_of
from neo_world_model.world_model import WorldModel

COLORS = {"red": (220, 30, 30), "blue": (30, 60, 220), "green": (30, 200, 40)}


EYE = np.array([0.15, 0.04, 0.58, 0.0, -1.0, 0.0, -0.85, 0.0, -0.52])  # looks down on the table


def scene(rng):
    """A picture with three patches, and the column and row of each, -1 to 1."""
    (eyes, height, width, _), _ = shapes()["vision"]
    image = rng.integers(90, 110, (eyes, height, width, 3)).astype(np.uint8)
    places = []
    for slot, rgb in zip(rng.permutation(3), COLORS.values(), strict=True):
        u, v = int(rng.integers(4, 16)) + 20 * slot, int(rng.integers(8, height - 8))
        image[:, v - 3 : v + 3, u - 3 : u + 3] = rgb
        places.append([u / 32 - 1, v / 24 - 1])
    return image, np.array(places)


def batch(where, rng, n):
    """Pictures of both eyes alike, prompts, and the places that the left one sees."""
    names, drawn = list(COLORS), [scene(rng) for _ in range(n)]
    which = rng.integers(0, 3, n)
    text = encode([f"pick up the {names[i]} one" for i in which])
    pixels = torch.tensor(np.stack([at[i] for (_, at), i in zip(drawn, which, strict=True)])).float()
    proprio, eye = torch.zeros(n, size("proprio")), torch.from_numpy(EYE).float().expand(n, -1)
    proprio[:, part("proprio", "eye")] = eye / features("proprio")["eye"][1]
    place = where._hit(eye, pixels[:, None, None, 0], pixels[:, None, None, 1])[:, 0, 0]
    truth = torch.cat([place, torch.full((n, 1), 0.02)], dim=-1)
    images = torch.from_numpy(np.stack([image for image, _ in drawn]))
    return images, proprio, torch.from_numpy(text), truth, pixels


def test_a_thing_is_found_by_its_colour():
    torch.manual_seed(0)
    model = WorldModel(config.load("ci", width=32, heads=2, channels=16))
    parameters = [*model.where.parameters(), *model.text.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=3e-3)
    rng = np.random.default_rng(0)
    for _ in range(200):
        vision, proprio, text, truth, pixels = batch(model.where, rng, 32)
        found = model.where(vision, proprio, model.text(text))
        place, log_std = found.place[:, 0], found.log_std[:, 0]
        loss = (0.5 * ((place - truth) * torch.exp(-log_std)).square() + log_std).mean()
        cells = cell_of(pixels)[:, None].expand(-1, 2).flatten()
        loss = loss + 0.5 * cross_entropy(found.answers[:, 0].flatten(0, 1), cells)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    vision, proprio, text, truth, _ = batch(model.where, np.random.default_rng(9), 64)
    with torch.no_grad():
        found = model.where(vision, proprio, model.text(text))
        turned = model.where(vision, proprio, model.text(text.roll(1, 0)))
    error = (found.place[:, 0] - truth)[:, :2].norm(dim=-1)
    other = (turned.place[:, 0] - truth)[:, :2].norm(dim=-1)
    assert float(error.median()) < 0.03  # m; the things stand 0.2 m apart
    assert float(error.median()) < 0.3 * float(other.median())


def test_places_that_nobody_knows_teach_nothing():
    torch.manual_seed(0)
    settings = config.load("ci", width=32, heads=2, channels=8)
    model, n, steps = WorldModel(settings), 4, settings.context + settings.horizon
    made = {
        name: torch.zeros(n, steps, *shape).to(getattr(torch, dtype))
        for name, (shape, dtype) in shapes().items()
    }
    made |= {f"has_{name}": torch.ones(n, steps, dtype=torch.bool) for name in shapes()}
    made |= {f"privileged_{name}": torch.zeros(n, steps) for name in ("falls", "slips", "collides", "hidden")}
    made["privileged_pixels"] = torch.full((n, steps, 8, 2, 2), torch.nan)
    made["privileged_places"] = torch.full((n, steps, 8, 3), torch.nan)
    made["privileged_begun"] = torch.full((n, 8, 3), torch.nan)
    made["progress"] = torch.full((n, steps), torch.nan)
    made["lesson"] = made["action"][:, 4:].clone()
    made["lesson_progress"] = made["progress"][:, 4:].clone()
    made["provenance"] = torch.full((n, steps), 2, dtype=torch.int8)
    made["source"], made["failed"] = torch.zeros(n, dtype=torch.int64), torch.zeros(n, dtype=torch.bool)
    made["text"] = made["other_text"] = torch.from_numpy(encode(["go"] * n))
    made["meant"] = made["named"] = torch.full((n, 2), -1)
    found = losses(model, made, torch.Generator().manual_seed(0))
    assert float(found["where"].detach()) == 0.0
    assert all(torch.isfinite(value) for value in found.values())


def test_what_is_seen_again_becomes_surer_and_what_is_hidden_is_kept():
    memory = Memory(np.array([0.4, 0.1, 0.8]), 0.03**2)
    for _ in range(20):
        memory.look(np.array([0.42, 0.1, 0.8]), 0.01)
    assert memory.mean[0] == pytest.approx(0.42, abs=0.002)
    assert memory.variance < 0.01**2
    memory.look(np.array([0.6, -0.3, 0.9]), 0.3)  # something hides it: a wide guess
    assert memory.mean[0] == pytest.approx(0.42, abs=0.005)


def test_a_thing_that_was_moved_is_believed_after_some_looks_and_not_after_one():
    memory = Memory(np.array([0.4, 0.1, 0.8]), 0.005**2)
    moved = np.array([0.5, -0.1, 0.8])
    memory.look(moved, 0.005)
    assert memory.mean[1] == 0.1
    for _ in range(3):
        memory.look(moved, 0.005)
    np.testing.assert_allclose(memory.mean, moved, atol=1e-3)
