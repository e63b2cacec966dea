"""The robot as URDF and MJCF text, both from the one builder.

URDF has no capsules and no ellipsoids: a capsule becomes a cylinder with two spheres, an ellipsoid a
scaled mesh of the unit sphere (``meshes/unit_sphere.stl``). Sites become links on fixed joints, so that
every frame of the robot is in TF.
"""

from __future__ import annotations

from functools import cache
from xml.etree import ElementTree as Xml

import mujoco
import numpy as np
from transforms3d.euler import quat2euler

from neo_description.builder import INTERNAL, build_robot
from neo_description.tables import BODY, HAND, SIDES, prefixed

MESH = "package://neo_humanoid/meshes/unit_sphere.stl"
VISUAL_GROUP = 2
GEOM = mujoco.mjtGeom


def robot_mjcf() -> str:
    """The robot alone as MJCF, with tendons, drives and sensors; its skin without the drawn fabric.

    MJCF text cannot hold the textures that the builder draws.
    """
    spec = build_robot()
    for material in spec.materials:
        material.textures = [""] * len(material.textures)
    for texture in list(spec.textures):
        spec.delete(texture)
    spec.compile()
    return spec.to_xml()


@cache
def robot_urdf() -> str:
    """The robot as URDF: 75 revolute joints below ``base_link``; lengths m, angles rad, masses kg."""
    model = build_robot(tendons=False).compile()
    robot = Xml.Element("robot", name="neo_humanoid")
    for body in range(1, model.nbody):
        _add_link(robot, model, body)
        if model.body_parentid[body]:
            _add_joint(robot, model, body)
    for site in range(model.nsite):
        if not model.site(site).name.endswith(INTERNAL):
            _add_frame(robot, model, site)
    Xml.indent(robot)
    return '<?xml version="1.0"?>\n' + Xml.tostring(robot, encoding="unicode")


def _numbers(values: np.ndarray) -> str:
    return " ".join(f"{value:.12g}" for value in values)


def _origin(parent: Xml.Element, position: np.ndarray, quat: np.ndarray) -> None:
    rpy = np.array(quat2euler(quat, "sxyz"))
    Xml.SubElement(parent, "origin", xyz=_numbers(position), rpy=_numbers(rpy))


def _add_link(robot: Xml.Element, model: mujoco.MjModel, body: int) -> None:
    link = Xml.SubElement(robot, "link", name=model.body(body).name)
    inertial = Xml.SubElement(link, "inertial")
    _origin(inertial, model.body_ipos[body], model.body_iquat[body])
    Xml.SubElement(inertial, "mass", value=f"{model.body_mass[body]:.12g}")
    x, y, z = model.body_inertia[body]
    Xml.SubElement(
        inertial, "inertia", ixx=f"{x:.12g}", iyy=f"{y:.12g}", izz=f"{z:.12g}", ixy="0", ixz="0", iyz="0"
    )
    first = model.body_geomadr[body]
    for geom in range(first, first + model.body_geomnum[body]):
        visual = model.geom_group[geom] == VISUAL_GROUP or not _has_visual(model, body)
        touches = model.geom_contype[geom] or model.geom_conaffinity[geom]
        for role, wanted in (("visual", visual), ("collision", touches)):
            if wanted:
                _add_geom(link, model, geom, role)


def _has_visual(model: mujoco.MjModel, body: int) -> bool:
    first = model.body_geomadr[body]
    return bool(np.any(model.geom_group[first : first + model.body_geomnum[body]] == VISUAL_GROUP))


def _add_geom(link: Xml.Element, model: mujoco.MjModel, geom: int, role: str) -> None:
    kind, size = model.geom_type[geom], model.geom_size[geom]
    position, quat = model.geom_pos[geom], model.geom_quat[geom]
    if kind == GEOM.mjGEOM_BOX:
        _shape(link, model, geom, role, position, quat, "box", size=_numbers(2 * size))
    elif kind == GEOM.mjGEOM_SPHERE:
        _shape(link, model, geom, role, position, quat, "sphere", radius=f"{size[0]:.12g}")
    elif kind == GEOM.mjGEOM_ELLIPSOID:
        _shape(link, model, geom, role, position, quat, "mesh", filename=MESH, scale=_numbers(size))
    elif kind == GEOM.mjGEOM_CYLINDER or kind == GEOM.mjGEOM_CAPSULE:
        radius, half = size[0], size[1]
        _shape(link, model, geom, role, position, quat, "cylinder",
               radius=f"{radius:.12g}", length=f"{2 * half:.12g}")  # fmt: skip
        if kind == GEOM.mjGEOM_CAPSULE:
            axis = np.zeros(3)
            mujoco.mju_rotVecQuat(axis, np.array([0.0, 0.0, half]), quat)
            for end in (position + axis, position - axis):
                _shape(link, model, geom, role, end, quat, "sphere", radius=f"{radius:.12g}")
    else:
        raise ValueError(f"geom {model.geom(geom).name!r} of {link.get('name')} has no twin in URDF")


def _shape(
    link: Xml.Element, model: mujoco.MjModel, geom: int, role: str,
    position: np.ndarray, quat: np.ndarray, shape: str, **attributes: str,
) -> None:  # fmt: skip
    element = Xml.SubElement(link, role)
    _origin(element, position, quat)
    Xml.SubElement(Xml.SubElement(element, "geometry"), shape, attributes)
    if role == "visual":
        rgba = model.geom_rgba[geom]
        if model.geom_matid[geom] >= 0:
            rgba = model.mat_rgba[model.geom_matid[geom]]
        material = Xml.SubElement(element, "material", name=f"{link.get('name')}_{len(link)}")
        Xml.SubElement(material, "color", rgba=_numbers(rgba))


def _add_joint(robot: Xml.Element, model: mujoco.MjModel, body: int) -> None:
    hinge = model.body_jntnum[body] == 1
    name = model.joint(model.body_jntadr[body]).name if hinge else f"{model.body(body).name}_fixed"
    joint = Xml.SubElement(robot, "joint", name=name, type="revolute" if hinge else "fixed")
    _origin(joint, model.body_pos[body], model.body_quat[body])
    Xml.SubElement(joint, "parent", link=model.body(model.body_parentid[body]).name)
    Xml.SubElement(joint, "child", link=model.body(body).name)
    if hinge:
        row = model.joint(name)
        low, high = row.range
        effort, velocity = _limits()[name]
        Xml.SubElement(joint, "axis", xyz=_numbers(row.axis))
        Xml.SubElement(
            joint,
            "limit",
            lower=f"{low:.12g}",
            upper=f"{high:.12g}",
            effort=f"{effort:g}",
            velocity=f"{velocity:g}",
        )


@cache
def _limits() -> dict[str, tuple[float, float]]:
    """Joint → effort (N m) and velocity (rad/s)."""
    rows = dict(zip(BODY.joints, zip(BODY.effort, BODY.velocity, strict=True), strict=True))
    for side in SIDES:
        limits = zip(HAND.effort, HAND.velocity, strict=True)
        rows |= dict(zip(prefixed(side, HAND.joints), limits, strict=True))
    return rows


def _add_frame(robot: Xml.Element, model: mujoco.MjModel, site: int) -> None:
    name = model.site(site).name
    Xml.SubElement(robot, "link", name=name)
    joint = Xml.SubElement(robot, "joint", name=f"{name}_fixed", type="fixed")
    _origin(joint, model.site_pos[site], model.site_quat[site])
    Xml.SubElement(joint, "parent", link=model.body(model.site_bodyid[site]).name)
    Xml.SubElement(joint, "child", link=name)
