"""The PushT of ``stable-worldmodel``: its physics, its pictures, its idea of success.

A disc in the plane (512 px square) pushes a T. A state is what the environment calls so, (7,): disc x, y
(px), T x, y (px), T's angle (rad), disc's velocity x, y (px/s). An action (2,) in [-1, 1] moves the disc's
target off where the disc is, by up to 100 px, for 0.1 s.

The package as a whole loads stores, trainers and 40 environments, and wants torchvision; PushT and WeakPolicy
need none of it. So they are imported from a package that has its folder but did not run its ``__init__``.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
import warnings
from types import ModuleType, SimpleNamespace
from typing import Any

import cv2
import numpy as np

SIZE = 64  # px of a picture
LOOKS: dict[str, dict[str, Any]] = {  # name → what differs, in the words of the environment's variation space
    "clean": {},
    "disc_colour": {"agent.color": np.array([220, 60, 60], np.uint8)},
    "block_colour": {"block.color": np.array([150, 110, 60], np.uint8)},
    "background_colour": {"background.color": np.array([215, 225, 240], np.uint8)},
    "disc_size": {"agent.scale": np.array(50.0, np.float32)},
}  # the T's size is fixed in the environment: its drawing takes no notice of block.scale


def load() -> ModuleType:
    """``stable_worldmodel.envs.pusht``, with no more of the package than it needs."""
    if "stable_worldmodel" not in sys.modules:
        spec = importlib.util.find_spec("stable_worldmodel")
        if spec is None or spec.submodule_search_locations is None:
            raise ImportError("stable-worldmodel is not installed here; `neo bench pusht` installs it")
        package = ModuleType("stable_worldmodel")
        package.__path__ = list(spec.submodule_search_locations)
        package.__spec__ = spec
        sys.modules["stable_worldmodel"] = package
        vision = ModuleType("torchvision")
        vision.__spec__ = importlib.machinery.ModuleSpec("torchvision", None)
        vision.tv_tensors = ModuleType("torchvision.tv_tensors")  # type: ignore[attr-defined]
        sys.modules.setdefault("torchvision", vision)
        sys.modules.setdefault("torchvision.tv_tensors", vision.tv_tensors)
        for part in ("utils", "spaces"):  # these two ask the package for each other
            setattr(package, part, importlib.import_module(f"stable_worldmodel.{part}"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("stable_worldmodel.envs.pusht")


class World:
    """One environment. ``look``: one of :data:`LOOKS`."""

    def __init__(self, look: str = "clean"):
        load()
        import gymnasium

        warnings.filterwarnings("ignore", module="gymnasium")
        made = gymnasium.make("swm/PushT-v1", resolution=512, disable_env_checker=True)
        self.env: Any = made.unwrapped
        self.spec = made.spec
        self.look = look

    def reset(self, seed: int) -> np.ndarray:
        """A random state (7,) of ``seed``."""
        options = {"variation_values": LOOKS[self.look]} if LOOKS[self.look] else {}
        observation, _ = self.env.reset(seed=seed, options=options)
        return observation["state"]

    def begin(self, state: np.ndarray, goal: np.ndarray) -> None:
        """From ``state`` (7,) to ``goal`` (7,), set as the package's own evaluation sets them."""
        self.reset(0)
        self.env._set_state(state)
        self.env._set_goal_state(goal)

    def show(self, state: np.ndarray) -> np.ndarray:
        """The picture of ``state``; the world stands there afterwards."""
        env = self.env
        env.agent.velocity, env.agent.position = tuple(state[5:7]), tuple(state[:2])
        env.block.angle = float(state[4])
        env.block.position = tuple(state[2:4])
        env.space.reindex_shapes_for_body(env.agent)
        env.space.reindex_shapes_for_body(env.block)
        return self.picture()

    def picture(self) -> np.ndarray:
        """(SIZE, SIZE, 3) uint8, every pixel the mean of what it covers."""
        return cv2.resize(self.env.render(), (SIZE, SIZE), interpolation=cv2.INTER_AREA)

    def step(self, action: np.ndarray) -> tuple[np.ndarray, bool]:
        """The state after ``action`` (2,), and whether the environment says that the goal is reached."""
        observation, _, terminated, _, _ = self.env.step(np.asarray(action, np.float64))
        return observation["state"], bool(terminated)


class Weak:
    """The package's WeakPolicy for one world: random moves that stay within 100 px of the T."""

    def __init__(self, world: World, seed: int):
        from gymnasium.spaces import Box

        self._policy = load().WeakPolicy(seed=seed)
        pool = SimpleNamespace(envs=[world.env], spec=world.spec, action_space=Box(-1.0, 1.0, (1, 2)))
        self._policy.set_env(pool)

    def action(self) -> np.ndarray:
        """(2,) float32."""
        return self._policy.get_action({})[0]
