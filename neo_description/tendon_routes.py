"""Sites and pulleys of the routed body tendons on the robot's links; their geometry: :mod:`routing`.

They weigh nothing and touch nothing; the pulley of a tendon turns with the parent, on the joint's axis.
"""

from __future__ import annotations

import mujoco
import numpy as np

from neo_description.routing import APART, ARM, FARTHEST, PULLEY, RADIUS, SIGN
from neo_description.skeleton import Link, body_links
from neo_description.tables import BODY

GROUP = 5  # of sites, pulleys and tendons: not drawn unless asked for
WIDTH = 0.004  # m: of a drawn tendon


def add_route(spec: mujoco.MjSpec, bodies: dict[str, mujoco.MjsBody], tendon: str) -> mujoco.MjsTendon:
    """The spatial tendon of that name, from the parent's site over its pulley to the child's site."""
    i = BODY.tendons.index(tendon)
    link = _links()[BODY.joints[i // 2]]
    frame = _frame(link)
    parent, child = bodies[link.parent], bodies[link.name]
    at = np.array(link.position)
    sign, radius = SIGN[i], RADIUS[i]
    middle = 0.0 if sign > 0.0 else np.pi
    begin = middle + 0.5 * sign * APART[i]
    parent.add_site(name=f"{tendon}_from", pos=at + _point(frame, begin, radius), group=GROUP)
    side = begin - 0.5 * sign * FARTHEST[i]  # the tendon passes the pulley on this side, however far it bends
    parent.add_site(name=f"{tendon}_side", pos=at + _point(frame, side, radius), group=GROUP)
    child.add_site(name=f"{tendon}_to", pos=_point(frame, begin - sign * APART[i], radius), group=GROUP)
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, np.ascontiguousarray(frame).ravel())
    parent.add_geom(
        name=f"{tendon}_pulley", type=mujoco.mjtGeom.mjGEOM_CYLINDER, pos=at, quat=quat,
        size=(PULLEY[i], 0.5 * WIDTH, 0.0), contype=0, conaffinity=0, mass=0.0, group=GROUP,
    )  # fmt: skip
    route = spec.add_tendon(name=tendon, group=GROUP, width=0.5 * WIDTH)
    route.wrap_site(f"{tendon}_from")
    route.wrap_geom(f"{tendon}_pulley", f"{tendon}_side")
    route.wrap_site(f"{tendon}_to")
    return route


def stretch(model: mujoco.MjModel, tendon: str, factor: float) -> None:
    """In a compiled model: sites and pulley ``factor`` times as far from the axis, so in every posture the
    moment arm is ``factor`` times what it was."""
    pulley = model.geom(f"{tendon}_pulley")
    for end in ("from", "side"):
        site = model.site(f"{tendon}_{end}")
        site.pos[:] = pulley.pos + factor * (site.pos - pulley.pos)
    model.site(f"{tendon}_to").pos[:] *= factor
    pulley.size[0] *= factor


def privileged_arms(model: mujoco.MjModel) -> np.ndarray:
    """(62,): true moment arms of a compiled model with the body's tendons, over those of the table."""
    if routed(model):
        at = [np.linalg.norm(model.site(f"{tendon}_to").pos) for tendon in BODY.tendons]
        return np.array(at) / RADIUS
    at = [abs(model.wrap_prm[model.tendon_adr[model.tendon(tendon).id]]) for tendon in BODY.tendons]
    return np.array(at) / ARM


def routed(model: mujoco.MjModel) -> tuple[str, ...]:
    """The tendons of a compiled ``model`` that run through sites: all of the body's, or none."""
    there = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_GEOM, f"{BODY.tendons[0]}_pulley") >= 0
    return BODY.tendons if there else ()


def _links() -> dict[str, Link]:
    """The body's links by the joint that turns them."""
    return {link.joint: link for link in body_links()}


def _frame(link: Link) -> np.ndarray:
    """(3, 3), columns in the axes of both links at the zero posture: towards the side of the plus tendon,
    towards the parent (upwards in a limb, downwards in the spine, backwards about a vertical axis), and the
    joint's axis."""
    axis = np.array(link.axis)
    upright = link.joint.startswith(("torso", "neck"))
    near = np.array([-1.0, 0.0, 0.0]) if axis[2] else np.array([0.0, 0.0, -1.0 if upright else 1.0])
    return np.column_stack([np.cross(near, axis), near, axis])


def _point(frame: np.ndarray, angle: float, radius: float) -> np.ndarray:
    """(3,) m from the axis, ``angle`` rad from the frame's first column."""
    out: np.ndarray = frame @ (radius * np.cos(angle), radius * np.sin(angle), 0.0)
    return out
