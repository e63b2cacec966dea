"""Figures that judge a model are right themselves."""

from types import SimpleNamespace

import pytest
import torch

from neo_world_model.episode import THINGS
from neo_world_model.evaluate import SHIFT, _hands, _sides, auc, platt
from neo_world_model.modalities import PROVENANCE, features, part, size
from neo_world_model.text import encode


def test_auc_counts_pairs_and_halves_ties():
    score = torch.tensor([0.1, 0.4, 0.4, 0.8])
    label = torch.tensor([0.0, 0.0, 1.0, 1.0])
    assert auc(score, label) == pytest.approx(3.5 / 4)
    assert auc(-score, label) == pytest.approx(0.5 / 4)
    assert auc(torch.zeros(4), label) == pytest.approx(0.5)


def test_platt_finds_how_sure_a_head_may_be():
    g = torch.Generator().manual_seed(0)
    logit = 2.0 * torch.randn(20000, generator=g)
    label = (torch.rand(20000, generator=g) < torch.sigmoid(0.5 * logit - 1.0)).float()
    a, b = platt(logit, label)
    assert a == pytest.approx(0.5, abs=0.05)
    assert b == pytest.approx(-1.0, abs=0.05)


CONTEXT = 4


class Candid:
    """States are what the joints and hands sense; imagined hands go ``share`` of the way to their targets."""

    class Senses:
        out = ("proprio",)

        def __call__(self, z):
            return {"proprio": (z, z)}

    class Actions:
        def codes(self, action, has, z):
            return action, None, None

    def __init__(self, share):
        self.senses, self.actions, self._share = self.Senses(), self.Actions(), share

    def foretell(self, z, codes, batch):
        now = z[:, CONTEXT - 1]
        end = now.clone()
        for side in ("l", "r"):
            begin, scale = part("proprio", f"{side}_gripper").start, features("proprio")[f"{side}_gripper"][1]
            to = part("action", f"{side}_gripper").start
            target = codes[:, -2, to : to + 3] * features("action")[f"{side}_gripper"][1] / scale
            here = now[:, begin : begin + 3]
            end[:, begin : begin + 3] = here + self._share * (target - here)
        return end[None, :, None]


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_hands_that_move_are_judged_by_where_they_come_and_whether_they_follow(share):
    k, steps, way = CONTEXT, 12, 0.06
    batch = {
        "proprio": torch.zeros(3, steps, size("proprio")),
        "action": torch.zeros(3, steps, size("action")),
    }
    batch |= {f"has_{name}": torch.ones(3, steps, dtype=torch.bool) for name in ("proprio", "action")}
    # the right hand of two goes forward, sent to where it comes; one of these is not sent all the time
    begin, scale = part("proprio", "r_gripper").start, features("proprio")["r_gripper"][1]
    batch["proprio"][:2, :, begin] = way / scale * torch.linspace(-0.75, 1.0, steps)
    last = batch["proprio"][:, -1, begin] * scale / features("action")["r_gripper"][1]
    batch["action"][..., part("action", "r_gripper").start] = last[:, None]
    batch["action"][:2, :, part("action", "r_moves")] = 1.0
    batch["action"][1, -3, part("action", "r_moves")] = 0.0
    z, candid = batch["proprio"], Candid(share)
    imagined = candid.foretell(z, batch["action"], batch).mean(dim=0)
    ((told, ahead, stay, follow),) = _hands(candid, z, imagined, batch, k).tolist()
    came = float(scale * (z[0, -1, begin] - z[0, k - 1, begin]))
    assert (told, stay) == (0.0, pytest.approx(came))
    assert ahead == pytest.approx((1.0 - share) * came, abs=1e-6)
    assert follow == pytest.approx(share * SHIFT)


class Obedient:
    """Its policy sends hands ``metres`` to the left of the place if a prompt says so, else to the right."""

    def __init__(self, metres):
        self._metres, self.settings = metres, SimpleNamespace(context=CONTEXT)

    def text(self, codes):
        left = torch.tensor([b"left" in bytes(row.tolist()) for row in codes])
        return torch.where(left, 1.0, -1.0)

    def policy(self, z, words, places, known, proprio, begun):
        numbers = torch.zeros(len(z), 8, size("action"))
        for side in ("l", "r"):
            at, scale = part("action", f"{side}_gripper").start, features("action")[f"{side}_gripper"][1]
            numbers[..., at + 1] = (places[:, 1, 1] + self._metres * words)[:, None] / scale
        return SimpleNamespace(numbers=numbers)


@pytest.mark.parametrize("metres", [0.0, 0.12])
def test_a_policy_is_judged_by_whether_it_goes_by_the_side_that_is_named(metres):
    prompts = [
        f"put the red can {where} the blue cup" for where in ("to the left of", "to the right of", "behind")
    ]
    n, k = len(prompts), CONTEXT
    batch = {
        "text": torch.from_numpy(encode(prompts)),
        "privileged_places": torch.zeros(n, k + 8, THINGS, 3),
        "privileged_begun": torch.zeros(n, THINGS, 3),
        "meant": torch.tensor([[0, 1]] * n),
        "proprio": torch.zeros(n, k + 8, size("proprio")),
        "lesson": torch.zeros(n, 8, size("action")),
        "provenance": torch.full((n, k + 8), PROVENANCE.index("teacher")),
        "has_action": torch.ones(n, k + 8, dtype=torch.bool),
        "failed": torch.zeros(n, dtype=torch.bool),
    }
    z = torch.zeros(n, 4)
    batch["lesson"][..., part("action", "r_moves")] = 1.0
    assert len(_sides(Obedient(metres), z, batch, k)) == 0  # no hand is to go elsewhere
    batch["lesson"][..., part("action", "r_gripper").start] = 0.3 / features("action")["r_gripper"][1]
    assert _sides(Obedient(metres), z, batch, k).tolist() == pytest.approx([2 * metres] * 2)
    batch["failed"][0] = True
    assert len(_sides(Obedient(metres), z, batch, k)) == 1
