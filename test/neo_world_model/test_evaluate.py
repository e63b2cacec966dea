"""Figures that judge a model are right themselves."""

import pytest
import torch

from neo_world_model.evaluate import auc, platt


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
