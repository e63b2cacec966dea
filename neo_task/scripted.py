"""The scripted planner: the skills of :mod:`neo_task.skills` on what the robot perceives.

``privileged_scripted`` is the same planner with the simulator's eyes: a scene made from the true
object poses. It is the teacher and the yardstick for learned planners, never the product.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from neo_description import parameters
from neo_description.signals import DetectedObject, Scene
from neo_task.planner import ScriptPlanner
from neo_task.prompt import Task
from neo_task.skills import SKILLS

PARAMETERS = Path(__file__).with_name("parameters.yaml")
PLANNERS = ("scripted", "privileged_scripted")


def load_parameters(**overrides: object) -> SimpleNamespace:
    """The room's parameters, without ROS."""
    return parameters.load(PARAMETERS, **overrides)


def scripted(task: Task, params: SimpleNamespace, timeout: float = 0.0) -> ScriptPlanner:
    """A planner for ``task``; ``timeout`` s of plant time, 0: the parameter."""
    skill = SKILLS[task.verb]
    return ScriptPlanner(lambda ctx: skill(ctx, task), params, timeout or params.timeout)


def privileged_scene(
    time: float,
    privileged_T_base_world: np.ndarray,
    privileged_objects: list[tuple[str, str, np.ndarray, np.ndarray]],
) -> Scene:
    """What perception would say were it perfect.

    ``privileged_objects``: class, colour, true pose in the world (4, 4) and size (3,) m of each;
    ``privileged_T_base_world`` (4, 4) is the true base's inverse.
    """
    return Scene(
        time=time,
        objects=[
            DetectedObject(
                id=i,
                class_name=class_name,
                color=color,
                T_base_object=privileged_T_base_world @ T_world_object,
                covariance=np.zeros((6, 6)),
                size=size,
                confidence=1.0,
                visible_fraction=1.0,
                last_seen=time,
            )
            for i, (class_name, color, T_world_object, size) in enumerate(privileged_objects)
        ],
    )
