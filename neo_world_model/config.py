"""Settings of a run: ``training.yaml`` under a recipe under what was given by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from neo_description import parameters
from neo_description.errors import NeoError
from neo_world_model.modalities import SOURCES

PARAMETERS = Path(__file__).with_name("training.yaml")
RECIPES = Path(__file__).with_name("recipes")
SENSES = ("vision", "proprio", "force", "touch")


def recipes() -> tuple[str, ...]:
    """Names of the recipes that ship."""
    return tuple(sorted(file.stem for file in RECIPES.glob("*.yaml")))


def load(recipe: str = "", **overrides: Any) -> SimpleNamespace:
    """All settings, checked; ``recipe``: one of :func:`recipes`, a file, or empty for the defaults."""
    rows: dict[str, Any] = {}
    if recipe:
        file = RECIPES / f"{recipe}.yaml" if recipe in recipes() else Path(recipe)
        if not file.is_file():
            raise NeoError(f"no recipe {recipe!r}; one of {', '.join(recipes())}, or a YAML file")
        rows = yaml.safe_load(file.read_text()) or {}
    settings = parameters.load(PARAMETERS, **{**rows, **overrides})
    if settings.width % settings.heads:
        raise NeoError(f"heads {settings.heads} does not divide width {settings.width}")
    unknown = set(settings.senses) - set(SENSES)
    if unknown or not settings.senses:
        raise NeoError(f"senses {', '.join(sorted(unknown)) or 'none'}; some of {', '.join(SENSES)}")
    weights(settings)
    return settings


def weights(settings: SimpleNamespace) -> dict[str, float]:
    """Source → share, from ``mix``."""
    out = {}
    for row in settings.mix:
        name, _, share = row.partition("=")
        try:
            out[name] = float(share)
        except ValueError:
            raise NeoError(f"mix {row!r}; write it as sim=0.5") from None
        if name not in SOURCES or out[name] < 0.0:
            raise NeoError(f"mix {row!r}; a share of 0 or more of one of {', '.join(SOURCES)}")
    return out
