"""An episode: what one embodiment sensed and was asked for, step by step, on one clock.

``fields``: modality → (T, …) as in :func:`neo_world_model.modalities.shapes`; a modality that the source does
not have is absent. ``provenance`` (T,): index into ``PROVENANCE``, who chose each step's action.
``progress`` (T,): the share of the task that was done, as the one who acted thought; NaN: nobody said.
``privileged``: what only a simulator knows, float32; for labels and scores, never for tokens. ``EVENTS`` are
(T,); ``places`` (T, THINGS, 3) m in base_link and ``pixels`` (T, THINGS, eyes, 2), column and row in either
picture, -1 to 1 from border to border, are NaN where there is no thing. They belong to the names in
``things`` ("red bottle"), of which the prompt means ``target`` and ``place`` ("" where it means none).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from neo_description.errors import NeoError
from neo_world_model.modalities import PROVENANCE, SOURCES, shapes, table

EVENTS = ("falls", "slips", "collides", "hidden")  # privileged labels: each 0 or 1, NaN: unknown
THINGS: int = table()["things"]
LABELS: dict[str, tuple[int, ...]] = {
    **{name: () for name in EVENTS}, "places": (THINGS, 3), "pixels": (THINGS, table()["vision"]["eyes"], 2)
}  # fmt: skip


@dataclass
class Episode:
    """Checked when made; NeoError says which part is wrong."""

    source: str
    fields: dict[str, np.ndarray]
    provenance: np.ndarray
    prompt: str = ""
    success: bool | None = None
    seed: int = 0
    kind: str = ""
    progress: np.ndarray | None = None
    things: tuple[str, ...] = ()
    target: str = ""
    place: str = ""
    privileged: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.source not in SOURCES:
            raise NeoError(f"an episode from {self.source!r}; sources are {', '.join(SOURCES)}")
        if not self.fields:
            raise NeoError("an episode without any modality")
        steps = len(self)
        for name, values in self.fields.items():
            if name not in shapes():
                raise NeoError(f"no modality {name!r}; one of {', '.join(shapes())}")
            shape, dtype = shapes()[name]
            if values.shape != (steps, *shape) or values.dtype != dtype:
                raise NeoError(
                    f"{name} is {values.dtype} of {values.shape}; it must be {dtype} of {(steps, *shape)}"
                )
            if dtype == "float32" and not np.isfinite(values).all():
                raise NeoError(f"{name} has numbers that are not finite, first in step {_first_bad(values)}")
        rows = {"provenance": self.provenance, **self.privileged}
        if self.progress is not None:
            rows["progress"] = self.progress
        for name, values in rows.items():
            shape = (steps, *LABELS.get(name, ()))
            if values.shape != shape:
                raise NeoError(f"{name} has shape {values.shape}; an episode of {steps} steps has {shape}")
        if len(self.things) > THINGS or not {self.target, self.place} <= {"", *self.things}:
            raise NeoError(
                f"{len(self.things)} things, at most {THINGS}; target {self.target!r} and place "
                f"{self.place!r} are among {', '.join(self.things) or 'none'}"
            )
        if self.provenance.min(initial=0) < 0 or self.provenance.max(initial=0) >= len(PROVENANCE):
            raise NeoError(f"provenance is an index into {', '.join(PROVENANCE)}")

    def __len__(self) -> int:
        return len(next(iter(self.fields.values())))

    @property
    def autonomy(self) -> float:
        """Share of the steps that a policy chose."""
        return float(np.mean(self.provenance == PROVENANCE.index("policy")))


def _first_bad(values: np.ndarray) -> int:
    return int(np.argmin(np.isfinite(values).reshape(len(values), -1).all(axis=1)))
