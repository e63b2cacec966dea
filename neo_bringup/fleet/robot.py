"""A robot's turn, a process of its own: update, act, record, send what may leave.

    python -m neo_bringup.fleet.robot TURN      # as JSON; in the folder of the fleet

A turn that was cut off is taken up: what is installed, recorded and sent stays so.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from neo_bringup import output, processes
from neo_bringup.fleet.acting import Acted, named
from neo_bringup.fleet.choose import Recorded, chosen, oddness
from neo_bringup.fleet.settings import ROUND, Place
from neo_description.errors import NeoError, RefusedError
from neo_flywheel import files
from neo_flywheel.courier import Courier, Put
from neo_flywheel.message_types import installed
from neo_flywheel.store import episode_bag
from neo_flywheel.store.objects import ObjectStore
from neo_flywheel.update.agent import Agent

Say = Callable[[str], None]
SEEDS = (100_000, 200_000)  # of worlds that robots act in, and that are learned from; held-out ones are above
BETWEEN = 60.0  # s from the begin of an episode to the next


@dataclass(frozen=True)
class Turn:
    """``stage``: of a roll-out, in which a robot shows that it can act with the new model; empty: a round's
    turn, at whose end data leave. ``act``: ``module:function``. ``folder``: of the fleet.
    """

    folder: str
    robot: str
    round: int
    prompts: int
    act: str
    stage: str = ""

    @property
    def name(self) -> str:
        return f"r{self.round:03d}" + (f"-{self.stage}" if self.stage else "")


def take(turn: Turn) -> dict[str, Any]:
    """What came of a turn, in a process of its own; one that was taken before is only read."""
    file = Place(Path(turn.folder)).turn(turn.robot, turn.name)
    if not file.exists():
        done = subprocess.run(
            [sys.executable, "-m", "neo_bringup.fleet.robot", json.dumps(asdict(turn))],
            cwd=turn.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "ROS_NAMESPACE": f"/{turn.robot}",
                "PYTHONPATH": _path(),
                "OMP_NUM_THREADS": "1",
            },
            preexec_fn=partial(processes.die_with, os.getpid()),
        )
        if done.returncode != 0:
            said = (done.stdout.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
            raise NeoError(f"{turn.robot}, turn {turn.name}: {said}; --resume goes on from here")
    return files.read_json(file, "turn of a robot")


def _path() -> str:
    """Where this process finds modules, for one that begins in another folder."""
    return os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry)


def main(words: list[str]) -> int:
    """0: done; 2: the last line on stdout says why not."""
    turn = Turn(**json.loads(words[0]))
    try:
        run(turn, lambda line: output.progress(f"{turn.robot}: {line}"))
    except NeoError as error:
        print(error, flush=True)
        return 2
    return 0


def run(turn: Turn, say: Say, put: Put | None = None) -> None:
    """The turn, in this process and the folder of the fleet. ``put``: as of a :class:`Courier`; by default
    into the server's library.
    """
    place = Place(Path())
    settings, home = place.settings(), place.robot(turn.robot)
    with files.lock(home, "robot"):
        began = time.monotonic()
        agent = Agent(home / "agent", lambda: "", lambda _: None)
        model, why = updated(agent)
        release = str(agent.report()["release"])
        say(f"{release} in {model}{f'; {why}' if why else ''}")
        names, errors = _act(turn, settings.seed, settings.began, model, release, say)
        row: dict[str, Any] = {
            "robot": turn.robot, "turn": turn.name, "release": release, "update": why, "errors": errors,
            "report": agent.signed_report(len(names), len(errors)),
        }  # fmt: skip
        if not turn.stage:
            row |= _leave(turn, place, put or post(place), say)
        files.write_json(place.turn(turn.robot, turn.name), row | {"seconds": time.monotonic() - began})


def updated(agent: Agent) -> tuple[Path, str]:
    """The folder of the model to act with, and why there is no newer one where one was refused."""
    why = ""
    if agent.status()["trial"]:  # a turn was cut off after the switch
        agent.start()
    try:
        offered = agent.check()
        if offered is not None:
            agent.download(offered)
            agent.install(offered)
    except RefusedError as error:
        why = str(error)
    return agent.start(), why


def post(place: Place) -> Put:
    """Puts into the server's objects, and then a note into its inbox."""
    store = ObjectStore(place.library / "objects")

    def put(key: str, data: bytes) -> None:
        try:
            digest = store.put_bytes(data)
            files.write_json(place.inbox / f"{key}.json", {"sha256": digest, "size": len(data)})
        except NeoError as error:
            raise OSError(str(error)) from None

    return put


def _clock(turn: Turn, began: float) -> float:
    """What a robot's clock says as its turn begins, s since the epoch."""
    return began + ROUND * (turn.round - 1) + (ROUND / 2 if turn.stage else 0.0)


def _act(
    turn: Turn, seed: int, began: float, model: Path, release: str, say: Say
) -> tuple[list[str], list[str]]:
    """Names of the episodes of this turn, recorded now or before it was cut off; what went wrong."""
    home = Path("robots") / turn.robot
    act = named(turn.act)
    names, errors = [], []
    for number in range(turn.prompts):
        folder = home / "outbox" / f"{turn.name}-{number:02d}"
        if not folder.exists():
            stream = np.random.default_rng([seed, *turn.name.encode(), *turn.robot.encode(), number])
            try:
                acted = act(int(stream.integers(*SEEDS)), model)
            except NeoError as error:
                errors.append(str(error))
                say(f"prompt {number + 1} of {turn.prompts}: {error}")
                continue
            begin = round(1e9 * (_clock(turn, began) + BETWEEN * number))
            _record(acted, folder, turn.robot, release, begin)
        one = Recorded.of(folder)
        how = "alone" if one.alone else "done with help" if one.success else "not done"
        say(f"prompt {number + 1} of {turn.prompts}: {how}, {one.steps} steps, {one.taken_over} not its own")
        names.append(folder.name)
    return names, errors


def _record(acted: Acted, folder: Path, robot: str, release: str, begin: int) -> None:
    """Into ``folder``, whole or not at all."""
    episode = acted.episode
    custom = {
        "release": release, "steps": str(len(episode)), "taken_over": str(acted.taken_over),
        "alone": str(acted.alone).lower(),
    }  # fmt: skip
    if len(acted.surprise):
        custom |= {"surprise": f"{acted.surprise.max():.4f}", "surprise_mean": f"{acted.surprise.mean():.4f}"}
    scratch = folder.parent / ".new" / folder.name
    shutil.rmtree(scratch, ignore_errors=True)
    episode_bag.save(episode, scratch, installed(), robot, begin, custom)
    for file in scratch.iterdir():
        files.sync_file(file)
    scratch.replace(folder)
    files.sync_folder(folder.parent)


def _leave(turn: Turn, place: Place, put: Put, say: Say) -> dict[str, Any]:
    """Chooses among what is new since the last round's turn, and sends it and what was chosen before."""
    home, settings = place.robot(turn.robot), place.settings()
    rows = [
        files.read_json(file, "turn")
        for file in sorted((home / "turns").glob("r*.json"))
        if "-" not in file.stem
    ]
    known = {name for row in rows for name in row["new"]}
    every = [Recorded.of(folder) for folder in sorted((home / "outbox").glob("r*"))]
    new = [one for one in every if one.name not in known]
    score = oddness(every) if settings.choose == "mined" and new else lambda _: 0.0
    seed = (settings.seed, turn.round, *turn.robot.encode())
    picked = chosen(settings.choose, settings.share, new, score, seed) if new else []
    earlier = [one for one in every if any(one.name in row["chosen"] for row in rows)]
    refused: list[str] = []
    courier = Courier(put, home / "privacy.yaml", home, lambda: _clock(turn, settings.began) + ROUND / 2)
    for one in [*earlier, *picked]:
        if courier.carry_episode(turn.robot, one.folder, refused.append):
            say(f"sent {one.name}")
    for line in dict.fromkeys(refused):
        say(line)
    return {"new": [one.name for one in new], "chosen": [one.name for one in picked], "stays": refused}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
