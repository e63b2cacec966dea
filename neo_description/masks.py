"""Questions about small arrays, asked every tick: ``any`` and ``all`` of numpy take ten times as long."""

from __future__ import annotations

import numpy as np


def any_of(a: np.ndarray) -> bool:
    """Whether something in ``a`` is true, or not zero."""
    return bool(np.count_nonzero(a))


def all_of(a: np.ndarray) -> bool:
    """Whether everything in ``a`` is true, or not zero."""
    return bool(np.count_nonzero(a) == a.size)
