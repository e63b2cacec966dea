"""Figures that judge a model are right themselves."""

import pytest
import torch

from neo_world_model.evaluate import SHIFT, _hands, auc, platt
from neo_world_model.modalities import features, part, size


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
