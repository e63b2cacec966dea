"""One job of ``neo bench pusht``, in the environment that has PushT: ``python -m neo_bringup.pusht.run JOB``.

JOB is JSON: ``do`` (collect, train, score) and what that function takes. Lines of JSON come out: ``say``, a
line of progress, and last ``result``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Say = Callable[[str], None]


def collect(say: Say, folder: str, kind: str, episodes: int) -> dict[str, Any]:
    """Episodes of WeakPolicy; kept when they are there."""
    from neo_bringup.pusht import data

    data.collect(Path(folder), kind, episodes, say)
    return {"frames": episodes * data.FRAMES}


def train(say: Say, model: str, weights: str, episodes: str, minutes: float, seed: int) -> dict[str, Any]:
    """Trains ``model`` (ours, peer) on the folder ``episodes`` and writes its ``weights``.

    Goes on where it was cut off.
    """
    import torch

    from neo_bringup.pusht import train as training
    from neo_bringup.pusht.data import Episodes

    torch.manual_seed(seed)
    made, length = training.make(model)
    begun = Path(weights).with_suffix(".begun")
    about = training.train(made, length, Episodes.open(Path(episodes)), minutes, seed, say, begun)
    training.save(made, Path(weights))
    begun.unlink(missing_ok=True)
    return about | {"parameters": sum(p.numel() for p in made.parameters())}


def score(
    say: Say, who: str, weights: str, look: str, episodes: str, pairs: int, seed: int, search: dict[str, Any]
) -> dict[str, Any]:
    """``done``: which of ``pairs`` held-out pairs ``who`` (ours, peer, random, replay) brings to the goal."""
    from neo_bringup.pusht import data, train, trial
    from neo_bringup.pusht.plan import Search

    drawn = data.pairs(data.Episodes.open(Path(episodes)), pairs, seed)
    if who in trial.WAYS:
        return {"done": trial.without_model(who, drawn, seed)}
    model = train.load(who, Path(weights))
    return {"done": trial.by_model(model, drawn, look, Search(**search), seed, say)}


JOBS: dict[str, Callable[..., dict[str, Any]]] = {"collect": collect, "train": train, "score": score}


def main() -> None:
    """Runs the job in ``sys.argv[1]``."""
    import torch

    torch.set_num_threads(1)
    job = json.loads(sys.argv[1])
    result = JOBS[job.pop("do")](lambda line: print(json.dumps({"say": line}), flush=True), **job)
    print(json.dumps({"result": result}), flush=True)


if __name__ == "__main__":
    main()
