"""NeoEnv: plant, body and both hands in one process without ROS, for training, fleets and fast tests.

    env = NeoEnv("kitchen_table", seed=0)
    env.stand()
    outcome = env.do("pick up the red bottle", planner="privileged_scripted")

The cores are those of the nodes, called in the same order at every tick: states → controllers → commands
→ plant. So a run with the same seed and the same commands at the same ticks gives the same trajectory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np

from neo_body_control.controller import BodyController
from neo_body_control.settings import load_parameters as load_body_parameters
from neo_description import scenes
from neo_description.errors import NeoError
from neo_description.signals import (
    HandCommand,
    Safety,
    Scene,
    StereoFrame,
    WholeBodyCommand,
)
from neo_description.tables import BODY, CONTROL_RATE, HAND, SIDES, TAXELS
from neo_hand_control.controller import HandController
from neo_sim.plant import Plant, load_parameters

_B, _H, _M, _F, _T = len(BODY.joints), len(HAND.joints), len(BODY.tendons), len(HAND.tendons), len(TAXELS)
_HAND_KEYS: dict[str, tuple[tuple[int, ...], str]] = {
    "joint_position": ((_H,), "rad"),
    "joint_velocity": ((_H,), "rad/s"),
    "tendon_tension": ((_F,), "N"),
    "taxel_force": ((_T, 3), "N: normal, shear, shear in the pad's frame"),
    "taxel_valid": ((_T,), "bool"),
}
# What `observe` returns: shape and unit of every key; the images only with cameras, (H, W, 3) of uint8.
OBSERVATION: dict[str, tuple[tuple[int, ...], str]] = {
    "time": ((), "s"),
    "body/joint_position": ((_B,), "rad"),
    "body/joint_velocity": ((_B,), "rad/s"),
    "body/tendon_tension": ((_M,), "N"),
    "body/pelvis_angular_velocity": ((3,), "rad/s, base_link"),
    "body/pelvis_linear_acceleration": ((3,), "m/s^2, base_link"),
    "body/l_sole_wrench": ((6,), "N, N m, l_sole"),
    "body/r_sole_wrench": ((6,), "N, N m, r_sole"),
    "body/l_wrist_wrench": ((6,), "N, N m, l_wrist"),
    "body/r_wrist_wrench": ((6,), "N, N m, r_wrist"),
    "estimate/T_odom_base": ((4, 4), "m"),
    "estimate/T_odom_l_gripper": ((4, 4), "m"),
    "estimate/T_odom_r_gripper": ((4, 4), "m"),
    **{f"{side}_hand/{key}": row for side in SIDES for key, row in _HAND_KEYS.items()},
    "head_camera/left": ((-1, -1, 3), "uint8 RGB"),
    "head_camera/right": ((-1, -1, 3), "uint8 RGB"),
}


@dataclass(slots=True)
class Given:
    """A command as it was given: ``target`` is ``body``, ``l_hand``, ``r_hand``, ``mode`` or ``runstop``."""

    tick: int
    target: str
    command: Any


class NeoEnv:
    """``plant``, ``body``, ``hands["l"|"r"]``; ``log_commands`` records what was given and at which tick.

    ``sim``: overrides of the plant's parameters; ``tendon_routing`` there holds for the body's controller,
    too. ``body``, ``hands``: makers of other controllers. ``cameras``: frames of the simulated
    head camera at ``camera_rate`` Hz of plant time, in ``frame``; ``image``: width and height (px) of its
    pictures where they shall differ from the robot's.
    """

    def __init__(
        self,
        scene: str | scenes.Scene = "kitchen_table",
        seed: int = 0,
        cameras: bool = False,
        planner: Any = None,
        *,
        sim: dict[str, Any] | None = None,
        body: Any = None,
        hands: dict[str, Any] | None = None,
        camera_rate: float = 10.0,
        image: tuple[int, int] | None = None,
    ):
        if isinstance(scene, str):
            routing = (sim or {}).get("tendon_routing", "fixed")
            self.scene = scenes.make(scene, seed, routing=routing)
        else:
            self.scene = scene
        params = load_parameters(**({"tendon_routing": self.scene.routing} | (sim or {})))
        self.plant = Plant(self.scene, params, seed)
        self._make_body = body or self._body
        self._make_hand = hands or {side: lambda side=side: HandController(side) for side in SIDES}
        self.planner = planner
        self._camera: Any = _sim_camera(self.scene, seed, image) if cameras else None
        self._period = max(1, round(CONTROL_RATE / camera_rate))
        self._perception: Any = None
        self._privileged_eyes = False
        self.reset(seed)

    def _body(self) -> BodyController:
        return BodyController(load_body_parameters(tendon_routing=self.scene.routing))

    @property
    def has_cameras(self) -> bool:
        """Whether there are images to see."""
        return self._camera is not None

    def reset(self, seed: int | None = None) -> dict[str, np.ndarray]:
        """Back to tick 0 with fresh controllers; ``seed`` draws new noise (the scene's layout stays)."""
        self.plant.reset(seed)
        self.body = self._make_body()
        self.hands = {side: self._make_hand[side]() for side in SIDES}
        self.log_commands: list[Given] = []
        self.frame: StereoFrame | None = None
        self.seen: Scene | None = None
        self.outcome: Any = None
        self.progress = 0.0
        self._cutter: Any = None  # cuts a world model's steps while one acts
        if self._perception is not None:
            self._perception = _perception()
        self._answer()
        return self.observe()

    def _answer(self) -> None:
        """The three controllers answer the present tick."""
        plant = self.plant
        plant.command("body", self.body.update(plant.body_state()))
        for side in SIDES:
            plant.command(f"{side}_hand", self.hands[side].update(plant.hand_state(side)))

    def step(self, ticks: int = 1) -> None:
        """``ticks`` control ticks: the plant steps on the answers, the controllers answer the new states.

        Between two calls the controllers have seen the present tick, and its tendon commands wait in the
        drives: what is commanded now acts in the answer to the next tick, as over ROS.
        """
        for _ in range(ticks):
            self.plant.step()
            self._answer()
            if self.plant.tick % self._period == 0:
                self._see()
            if self.planner is not None:
                self._plan()

    def command(self, target: str, command: Any) -> str | None:
        """Give ``body``, ``l_hand``, ``r_hand``, ``mode`` or ``runstop`` a command; logged with its tick."""
        self.log_commands.append(Given(self.plant.tick, target, command))
        if self._cutter is not None:
            self._cutter.stepper.asked(target, command)
        if target == "body":
            return self.body.command(command)
        if target == "mode":
            return self.body.set_mode(command)
        if target == "runstop":
            self.plant.runstop(bool(command))
            return None
        side = target.removesuffix("_hand")
        if side not in self.hands:
            raise NeoError(f"no target {target!r}; one of body, l_hand, r_hand, mode, runstop")
        return self.hands[side].command(command)

    def command_body(self, command: WholeBodyCommand) -> str | None:
        """:meth:`command` for the body."""
        return self.command("body", command)

    def command_hand(self, side: str, command: HandCommand) -> str | None:
        """:meth:`command` for one hand."""
        return self.command(f"{side}_hand", command)

    def stand(self, timeout: float = 5.0) -> None:
        """Leave STOP and step until the body is ACTIVE; NeoError when it is not within ``timeout`` s."""
        reason = self.command("mode", "stand")
        end = self.plant.time + timeout
        while reason is None and self.body.estimate.safety != Safety.ACTIVE:
            if self.plant.time >= end:
                reason = self.body.estimate.reason or f"not active after {timeout:g} s"
                break
            self.step()
        if reason is not None:
            raise NeoError(f"the body does not stand up: {reason}")

    def do(self, prompt: str, planner: str = "scripted", timeout: float = 0.0, model: Any = "") -> Any:
        """Do a task to its end and return the planner's outcome (``neo_task.planner.Outcome``).

        ``planner``: ``scripted`` sees through the cameras (the environment needs ``cameras=True``), so does
        ``world_model``, with the model in the folder ``model``, or a ``Runtime`` of it;
        ``privileged_scripted`` knows the true poses.
        NeoError when the prompt cannot be parsed.
        """
        self.begin(prompt, planner, timeout, model)
        while self.outcome is None:
            self.step()
        self.planner = None
        return self.outcome

    def begin(
        self, prompt: str, planner: str = "scripted", timeout: float = 0.0, model: Any = "",
        settings: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:  # fmt: skip
        """As :meth:`do`, without waiting: every :meth:`step` goes on, until ``outcome`` is set.

        ``settings``: of ``neo_task/parameters.yaml``, where they shall differ.
        """
        from neo_task import prompt as language
        from neo_task import scripted

        if planner not in scripted.PLANNERS:
            raise NeoError(f"no planner {planner!r}; one of {', '.join(scripted.PLANNERS)}")
        self._privileged_eyes = planner == "privileged_scripted"
        if not self._privileged_eyes and self._camera is None:
            raise NeoError(f"planner {planner} sees through the cameras: NeoEnv(..., cameras=True)")
        self.outcome, self.progress = None, 0.0
        if planner == "world_model":
            self._imagine(prompt, timeout, model, scripted.load_parameters(**settings))
            return
        self._cutter = None
        task = language.parse(prompt, scripted.default_vocabulary())
        self.planner = scripted.scripted(task, scripted.load_parameters(**settings), timeout)
        if self._perception is None and not self._privileged_eyes:
            self._perception = _perception()

    def _imagine(self, prompt: str, timeout: float, model: Any, params: SimpleNamespace) -> None:
        """Act with a world model, fed with the same steps as on a robot."""
        from neo_task.imagined import imagined
        from neo_world_model.stepper import Cutter

        self.planner = imagined(
            model or params.model, prompt, params, timeout or params.timeout, clock=lambda: self.plant.time,
            timer=lambda: 0.0,  # not the machine's speed, but the settings say how long is searched
        )  # fmt: skip
        self._cutter = Cutter()
        if self._perception is None and params.perceived:
            self._perception = _perception()

    def _see(self) -> None:
        """A new image, and what perception (or the teacher's truth) makes of it."""
        plant = self.plant
        if self._privileged_eyes:
            from neo_task.scripted import privileged_scene

            truth = plant.privileged
            poses = {name: truth.object_pose(name) for name in truth.object_names}
            self.seen = privileged_scene(
                plant.time, truth.base_pose, poses, {thing.name: thing for thing in self.scene.objects}
            )
        if self._camera is None:
            return
        self._camera.set_state(plant.data.qpos)
        self.frame = self._camera.read(plant.time, plant.tick)
        if self._cutter is not None:
            self._cutter.see(self.frame.left, self.frame.right, self.frame.time)
        if self._perception is not None and not self._privileged_eyes:
            estimate = self.body.estimate
            T_base_camera = np.linalg.inv(estimate.T_odom_base) @ estimate.T_odom_head_camera
            hands = [plant.hand_state(side).joint_position for side in SIDES]
            joints = np.concatenate([plant.body_state().joint_position, *hands])
            self.seen = self._perception.update(self.frame, T_base_camera, estimate.T_odom_base, joints)

    def _plan(self) -> None:
        """One observation for the planner every 20 ms, its commands to body and hands."""
        from neo_task.planner import Observation

        if self.plant.tick % (CONTROL_RATE // 50):
            return
        hands = {side: hand.status for side, hand in self.hands.items()}
        cut = None
        if self._cutter is not None:
            states = {side: self.plant.hand_state(side) for side in SIDES}
            self._cutter.T_odom_base = self.body.estimate.T_odom_base
            cut = self._cutter.take(self.plant.tick, self.plant.body_state(), states)
        step = self.planner.step(Observation(self.plant.time, self.body.estimate, hands, self.seen, cut))
        for command in step.body:
            self.command_body(command)
        for side, hand_command in step.hands:
            self.command_hand(side, hand_command)
        self.progress = step.progress
        if step.outcome is not None:
            self.outcome = step.outcome

    def observe(self) -> dict[str, np.ndarray]:
        """What a policy may see now; keys, shapes and units in ``OBSERVATION``. Nothing privileged."""
        state, estimate = self.plant.body_state(), self.body.estimate
        seen = {"time": np.array(self.plant.time)}
        for key in OBSERVATION:
            owner, _, name = key.partition("/")
            if owner == "body":
                seen[key] = getattr(state, name)
            elif owner == "estimate":
                seen[key] = getattr(estimate, name)
            elif owner.endswith("_hand"):
                seen[key] = getattr(self.plant.hand_state(owner[0]), name)
            elif owner == "head_camera" and self.frame is not None:
                seen[key] = getattr(self.frame, name)
        return seen

    def close(self) -> None:
        """Free the renderer."""
        if self._camera is not None:
            self._camera.close()


def _sim_camera(scene: scenes.Scene, seed: int, image: tuple[int, int] | None) -> Any:
    from neo_description import parameters
    from neo_sensors import camera, sim_camera

    size = {} if image is None else {"width": image[0], "height": image[1]}
    params: SimpleNamespace = parameters.load(camera.PARAMETERS, scene=scene.name, seed=seed, **size)
    return sim_camera.SimCamera(params, scene.model)


def _perception() -> Any:
    from neo_perception.perception import Perception

    return Perception()
