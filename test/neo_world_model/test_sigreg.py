"""SIGReg tells Gaussian states from collapsed ones, and pushes the latter apart."""

import torch

from neo_world_model.sigreg import sigreg


def look(z):
    return float(sigreg(z, 64, torch.Generator().manual_seed(1)))


def test_a_gaussian_passes_and_others_do_not():
    g = torch.Generator().manual_seed(0)
    normal = torch.randn(2, 500, 16, generator=g)
    passes = look(normal)
    assert passes < 3.0
    for wrong in (
        torch.zeros(2, 500, 16),
        0.3 * normal,
        3.0 * normal,
        normal + 1.0,
        normal[..., :1].expand(-1, -1, 16),
    ):
        assert look(wrong) > 5.0 * passes


def test_its_gradient_makes_collapsed_states_gaussian():
    g = torch.Generator().manual_seed(0)
    z = (0.05 * torch.randn(1, 256, 8, generator=g)).requires_grad_()
    optimizer = torch.optim.Adam([z], lr=0.05)
    for _ in range(150):
        optimizer.zero_grad()
        sigreg(z, 64, g).backward()
        optimizer.step()
    assert 0.8 < float(z.detach().std()) < 1.2
    values = torch.linalg.eigvalsh(torch.cov(z.detach()[0].T))
    assert float(values.min()) > 0.3


def _one_rank(rank: int, file: str, z: torch.Tensor, out: str) -> None:
    torch.distributed.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=2)
    mine = z[:, rank::2].clone().requires_grad_()
    value = sigreg(mine, 32, torch.Generator().manual_seed(1))
    value.backward()
    torch.save((value.detach(), mine.grad), f"{out}{rank}")
    torch.distributed.destroy_process_group()


def test_over_two_ranks_it_tests_the_whole_batch(tmp_path):
    z = 0.5 * torch.randn(2, 64, 8, generator=torch.Generator().manual_seed(0))
    whole = z.clone().requires_grad_()
    value = sigreg(whole, 32, torch.Generator().manual_seed(1))
    value.backward()
    out = str(tmp_path / "rank")
    torch.multiprocessing.spawn(_one_rank, (str(tmp_path / "meet"), z, out), nprocs=2)
    for rank in range(2):
        found, gradient = torch.load(f"{out}{rank}", weights_only=True)
        torch.testing.assert_close(found, value.detach())
        # what DDP averages over the ranks is the gradient of the whole
        torch.testing.assert_close(gradient / 2.0, whole.grad[:, rank::2], atol=1e-6, rtol=1e-4)
