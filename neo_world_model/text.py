"""Prompts as numbers: bytes, so that any word in any language has a code and nothing is pretrained."""

from __future__ import annotations

import numpy as np

LENGTH = 80  # bytes of a prompt that are read; the rest is cut
PAD = 0
CODES = 256


def encode(prompts: list[str]) -> np.ndarray:
    """(n, LENGTH) int64: the bytes of each prompt in lower case, ``PAD`` behind."""
    out = np.full((len(prompts), LENGTH), PAD, np.int64)
    for i, prompt in enumerate(prompts):
        code = prompt.lower().strip().encode()[:LENGTH]
        out[i, : len(code)] = list(code)
    return out


def decode(codes: np.ndarray) -> list[str]:
    """The prompts of which :func:`encode` made ``codes`` (n, LENGTH), as far as they were read."""
    return [bytes(row[row != PAD].astype(np.uint8).tolist()).decode(errors="ignore") for row in codes]
