"""torch-world's LeWM, untouched, behind the same three methods as :class:`neo_bringup.pusht.model.Ours`.

It is trained as its own code trains it: the next state from up to three past ones, mean squared error and
SIGReg. It plans as it rolls out: state by state, each prediction fed back. LeWM takes any encoder; it gets
the eye that ours has, for with a small ViT (4 layers, patches of 8 px) it saw a ninth of the frames in the
same time.
"""

from __future__ import annotations

from types import SimpleNamespace

from torch import Tensor, cat, nn

from neo_bringup.pusht.model import ACTION, Eye

HISTORY = 3
DEFAULT = SimpleNamespace(
    channels=24, width=128, layers=3, heads=4, head=32, mlp=512, directions=256, learning_rate=1e-3, batch=64,
    recolour=0.0,
)  # fmt: skip


class Peer(nn.Module):
    """``settings``: as :data:`DEFAULT`."""

    def __init__(self, settings: SimpleNamespace = DEFAULT):
        super().__init__()
        from torch_world.losses import SIGReg
        from torch_world.models import LeWM

        s = self.settings = settings
        self.lewm = LeWM(
            Eye(s.channels, s.width), action_dim=ACTION, embed_dim=s.width, history=HISTORY, depth=s.layers,
            num_heads=s.heads, head_dim=s.head, mlp_dim=s.mlp, proj_dim=s.mlp,
            sigreg=SIGReg(num_slices=s.directions),
        )  # fmt: skip

    def encode(self, pictures: Tensor) -> Tensor:
        """States (n, width) of pictures (n, SIZE, SIZE, 3)."""
        return self.lewm.encode(pictures[:, None])[:, 0]

    def imagine(self, z: Tensor, plan: Tensor) -> Tensor:
        """States (n, h, width) that follow ``z`` (n, width) under ``plan`` (n, h, ACTION)."""
        return self.lewm.rollout(z[:, None], plan)[:, 1:]

    def forward(self, pictures: Tensor, actions: Tensor, plain: Tensor | None = None) -> dict[str, Tensor]:
        """Losses of windows (n, HISTORY + 1, SIZE, SIZE, 3), actions between them (n, HISTORY, ACTION)."""
        after_last = actions.new_zeros(len(actions), 1, ACTION)  # LeWM takes as many actions as pictures
        return self.lewm(pictures, cat([actions, after_last], dim=1))
