"""The scripted planner: the skills of :mod:`neo_task.skills` on what the robot perceives.

``privileged_scripted`` is the same planner with the simulator's eyes: a scene made from the true
object poses. It is the teacher and the yardstick for learned planners, never the product.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from neo_description import objects, parameters
from neo_description.objects import Thing
from neo_description.scenes import SceneObject
from neo_description.signals import DetectedObject, Scene
from neo_task.planner import ScriptPlanner
from neo_task.prompt import Task, Vocabulary, vocabulary
from neo_task.skills import SKILLS

PARAMETERS = Path(__file__).with_name("parameters.yaml")
PLANNERS = ("scripted", "privileged_scripted", "world_model")


def load_parameters(**overrides: object) -> SimpleNamespace:
    """The room's parameters, without ROS."""
    return parameters.load(PARAMETERS, **overrides)


def scripted(task: Task, params: SimpleNamespace, timeout: float = 0.0) -> ScriptPlanner:
    """A planner for ``task``; ``timeout`` s of plant time, 0: the parameter."""
    skill = SKILLS[task.verb]
    return ScriptPlanner(lambda ctx: skill(ctx, task), params, timeout or params.timeout)


def default_vocabulary(objects_file: Path | str | None = None) -> Vocabulary:
    """The words for the objects of the registry, with the entries of ``objects_file`` added."""
    return vocabulary(list(objects.colors(objects_file)), list(objects.classes(objects_file)))


def privileged_scene(
    time: float,
    privileged_T_world_base: np.ndarray,
    privileged_poses: dict[str, np.ndarray],
    things: Mapping[str, Thing | SceneObject],
) -> Scene:
    """What perception would say were it perfect.

    ``privileged_T_world_base`` (4, 4) and ``privileged_poses`` (object name → (4, 4) in the world) are
    the simulator's truth; ``things``: what each of them is.
    """
    T_base_world = np.linalg.inv(privileged_T_world_base)
    return Scene(
        time=time,
        objects=[
            DetectedObject(
                id=i,
                class_name=things[name].class_name,
                color=things[name].color,
                T_base_object=T_base_world @ T_world_object,
                covariance=np.zeros((6, 6)),
                size=things[name].size,
                confidence=1.0,
                visible_fraction=1.0,
                last_seen=time,
            )
            for i, (name, T_world_object) in enumerate(privileged_poses.items())
        ],
    )
