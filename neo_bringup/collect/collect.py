"""Collects episodes: a kind of world and of acting each, everything drawn by the seed.

episode = collect("drop", seed=3)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import yaml

from neo_bringup.collect import worlds
from neo_bringup.collect.acting import Noisy, Random
from neo_bringup.collect.helped import Helped
from neo_bringup.collect.operator import Operator
from neo_bringup.collect.person import Person
from neo_bringup.collect.privileged_judge import PrivilegedJudge
from neo_bringup.collect.recording import IMAGE, Recording
from neo_bringup.collect.teleoperated import Player, Source, Teleoperated
from neo_bringup.collect.worlds import said
from neo_description.errors import NeoError
from neo_description.signals import HandAction, HandCommand
from neo_description.tables import SIDES
from neo_sim.env import NeoEnv
from neo_teleop.teleop import Teleop
from neo_teleop.track import Track
from neo_world_model import prompts, shipped
from neo_world_model.episode import Episode
from neo_world_model.prompts import Asked

Through = Callable[[Source, Teleop], Source]
KINDS = Path(__file__).with_name("kinds.yaml")
ALONE = 8.0  # s that nobody but chance acts
LONGEST = 24.0  # s: a teacher that is not done by then rarely is at all
OPERATED = 36.0  # s: a person is slower
AFTER = 1.5  # s after a task's end
LET_GO = (0.5, 2.5)  # s after the task began to lift
PUSH, PUSHED, CALM = (2.0, 8.0), 0.1, (0.8, 2.5)  # N, s, s
SCATTERED, APART = 0.5, 0.13  # s that things stand; m between two of them, and from a hand
SPREAD = ((0.04, 0.38), 0.42)  # m: how far behind the table's front edge things stand, and to either side


@cache
def kinds() -> dict[str, dict[str, Any]]:
    """The rows of ``kinds.yaml``."""
    return yaml.safe_load(KINDS.read_text())


def drawn_kind(seed: int) -> str:
    """A kind by the shares of the table."""
    shares = np.array([row["share"] for row in kinds().values()])
    return list(kinds())[int(np.random.default_rng([seed, 4]).choice(len(shares), p=shares / shares.sum()))]


def collect(
    kind: str,
    seed: int,
    scene: str = "kitchen_table",
    tracks: Path | None = None,
    track: Track | None = None,
    model: str = "",
    through: Through | None = None,
) -> Episode:
    """One episode; NeoError when the robot cannot stand or the kind is unknown.

    ``tracks``: folder in which the operator's track is saved, where one acts; ``track`` is played instead.
    ``model``: folder of the world model that acts where one does; empty: the one that ships.
    ``through``: by what device a scripted operator's frames come; None: as they are.
    """
    if kind not in kinds():
        raise NeoError(f"no kind of episode {kind!r}; one of {', '.join(kinds())}")
    row, rng = kinds()[kind], np.random.default_rng([seed, 6])
    env = NeoEnv(worlds.make(scene, seed, row), seed, cameras=True, image=IMAGE)
    try:
        env.stand()
        asked = prompts.draw(rng, said(env.scene), row.get("task", ""))
        episode = _run(env, kind, row, asked, seed, rng, track, model, through)
        if tracks is not None and isinstance(env.planner, Teleoperated):
            about = {"kind": kind, "seed": seed, "scene": scene}
            Track(env.planner.recorded, about).save(tracks / f"{kind}-{seed}.jsonl")
        return episode
    finally:
        env.close()


def replay(track: Track) -> Episode:
    """The episode that a track gives in the world it was recorded in; NeoError when it names none."""
    about = track.about
    kind = kinds().get(about.get("kind", ""), {})
    if kind.get("acts") != "teleop" or not isinstance(about.get("seed"), int):
        wanted = ", ".join(name for name, row in kinds().items() if row["acts"] == "teleop")
        raise NeoError(f"a track is about {about}; it needs a seed and a kind that is operated: {wanted}")
    return collect(about["kind"], about["seed"], about.get("scene", "kitchen_table"), track=track)


def _run(
    env: NeoEnv,
    kind: str,
    row: dict[str, Any],
    asked: Asked,
    seed: int,
    rng: np.random.Generator,
    track: Track | None,
    model: str,
    through: Through | None,
) -> Episode:
    names = said(env.scene)
    target = env.scene.objects[names.index(asked.target)].name
    prompt = "" if row["acts"] == "random" else asked.prompt
    helped = Helped(env, prompt, shipped.model(model), rng) if row["acts"] == "helped" else None
    if prompt and helped is None:
        env.begin(prompt, "privileged_scripted")
    elif not prompt:
        env.planner = Random(rng)
    noisy = None
    if row["acts"] == "noisy":
        env.planner = noisy = Noisy(env.planner, rng)
    operated = None
    if row["acts"] == "teleop":
        env.planner = operated = _operated(env.planner, seed, track, through)
    judge = PrivilegedJudge(env, prompt) if prompt else None
    recording = Recording(env, target)
    person = Person(env, target, rng)
    happen = HAPPENS[row["happens"]](env, rng) if "happens" in row else None

    def world() -> None:
        person()
        if happen is not None:
            happen()

    began = env.plant.time
    limit = LONGEST if prompt else ALONE
    if operated is not None:
        limit = OPERATED if track is None else track.duration
    end, let_go = began + limit, None
    while env.plant.time < end:
        by = "random" if not prompt else "noise" if noisy is not None and noisy.pushed else "teacher"
        by = by if helped is None else helped.provenance
        recording.step(by if operated is None else operated.provenance, world)
        if helped is not None and helped.due:
            helped.help()
            end = env.plant.time + LONGEST
        if env.outcome is not None and track is None and end > env.plant.time + AFTER:
            end = env.plant.time + AFTER
        if row.get("then") == "let_go" and let_go is None and _lifting(env):
            let_go = env.plant.time + rng.uniform(*LET_GO)
        if let_go is not None and env.plant.time >= let_go:
            env.planner, let_go = None, np.inf
            for side in SIDES:
                env.command_hand(side, HandCommand(HandAction.OPEN))
            end = min(end, env.plant.time + AFTER)
    success = None
    if judge is not None and let_go is None:  # what somebody says of himself is not enough to be imitated
        said_so = bool(env.outcome and env.outcome.success) if helped is None else helped.success
        success = said_so and judge.done()
    if track is not None and not success:
        success = None  # a person may have done it in a way that the teacher does not know
    source = "teleop" if operated is not None else "sim" if helped is None else "on_policy"
    return recording.episode(
        source, prompt=prompt, success=success, seed=seed, kind=kind, things=names,
        target=asked.target if prompt else "", place=asked.place if prompt else "",
    )  # fmt: skip


def _operated(planner: Any, seed: int, track: Track | None, through: Through | None) -> Teleoperated:
    teleop = Teleop()
    rng = np.random.default_rng([seed, 7])  # not the world's: it is the teacher's world of this seed
    source: Source = Operator(teleop, rng) if track is None else Player(track)
    return Teleoperated(planner, source if through is None else through(source, teleop), teleop)


def _lifting(env: NeoEnv) -> bool:
    return getattr(env.planner, "phase", "") in ("lift", "hold", "carry")


class _Pushes:
    """Call every 20 ms: now and then a thing is pushed sideways."""

    def __init__(self, env: NeoEnv, rng: np.random.Generator):
        self._env, self._rng = env, rng
        self._body, self._until, self._next = 0, 0.0, env.plant.time + rng.uniform(*CALM)

    def __call__(self) -> None:
        env, rng, time = self._env, self._rng, self._env.plant.time
        if self._body and time >= self._until:
            env.plant.data.xfrc_applied[self._body] = 0.0
            self._body, self._next = 0, time + rng.uniform(*CALM)
        elif not self._body and time >= self._next:
            self._body = env.scene.objects[int(rng.integers(len(env.scene.objects)))].body
            way, size = rng.uniform(-np.pi, np.pi), rng.uniform(*PUSH)
            env.plant.data.xfrc_applied[self._body, :2] = size * np.cos(way), size * np.sin(way)
            self._until = time + PUSHED


class _Scatter:
    """Call every 20 ms: now and then all things stand elsewhere on the table, at once."""

    def __init__(self, env: NeoEnv, rng: np.random.Generator):
        self._env, self._rng, self._next = env, rng, env.plant.time
        self._upright = [env.scene.qpos[thing.qpos] for thing in env.scene.objects]
        self._front = worlds.table_of(env.scene).front

    def __call__(self) -> None:
        env, data = self._env, self._env.plant.data
        if env.plant.time < self._next:
            return
        self._next = env.plant.time + SCATTERED
        taken = [env.body.estimate.gripper(side)[:2, 3] for side in SIDES]
        for thing, upright in zip(env.scene.objects, self._upright, strict=True):
            spot = self._free(taken)
            if spot is None:  # no room: it stays
                continue
            taken.append(spot)
            turn = self._rng.uniform(-np.pi, np.pi)
            quat = np.empty(4)
            mujoco.mju_mulQuat(quat, np.array([np.cos(turn / 2), 0.0, 0.0, np.sin(turn / 2)]), upright[3:])
            data.qpos[thing.qpos] = [*spot, upright[2], *quat]
            data.qvel[thing.qvel] = 0.0
        mujoco.mj_step1(env.plant.model, data)  # as it is between two steps

    def _free(self, taken: list[np.ndarray]) -> np.ndarray | None:
        (near, far), side = SPREAD
        for _ in range(50):
            spot = np.array([self._front + self._rng.uniform(near, far), self._rng.uniform(-side, side)])
            if all(np.hypot(*(spot - other)) >= APART for other in taken):
                return spot
        return None


HAPPENS: dict[str, Callable[[NeoEnv, np.random.Generator], Callable[[], None]]] = {
    "push": _Pushes, "scatter": _Scatter,
}  # fmt: skip
