"""The robot from its tables: one MjSpec, whole or with the fingers lumped into the palms.

:func:`build_robot` is the only maker of the robot; MJCF, URDF, the plant, the body controller's 37-DoF
model and the pictures all come from it.
"""

from __future__ import annotations

from functools import cache

import mujoco
import numpy as np

from neo_description import contact, hand, skeleton, skin, tendon_routes
from neo_description.routing import routing_of
from neo_description.skeleton import Link
from neo_description.tables import BODY, HAND, PLANT_DT, SIDES, TENDONS, dynamics, prefixed

HINGE = mujoco.mjtJoint.mjJNT_HINGE
INTERNAL = ("_imu", "_wrench")  # ends of the names of sites that only carry a simulated sensor: no frames


def build_robot(
    fingers: bool = True, tendons: bool = True, visuals: bool = True, routing: str = "fixed"
) -> mujoco.MjSpec:
    """The robot standing at its zero posture, soles on z = 0, ``base_link`` a free body.

    ``fingers``: 75 joints, else 31 with each hand one rigid body at ``hand.HALF_OPEN`` with the same
    mass and inertia. ``tendons``: 150 tendons, each with one pulling motor, in the order of
    ``tables.TENDONS`` (62 body ones without fingers). ``visuals``: the soft skin, which touches nothing.
    ``routing``: of the body's tendons, one of ``routing.ROUTINGS``.
    """
    return _robot(fingers, tendons, visuals, routing).copy()


@cache
def _robot(fingers: bool, tendons: bool, visuals: bool, routing: str) -> mujoco.MjSpec:
    spec = mujoco.MjSpec()
    spec.modelname = "neo_humanoid"
    set_options(spec)
    bodies: dict[str, mujoco.MjsBody] = {"world": spec.worldbody}
    for link in skeleton.body_links():
        _add_link(bodies, link)
    bodies["base_link"].pos = (0.0, 0.0, skeleton.HIP_HEIGHT)
    contact.add_body_geoms(bodies)
    _add_frames(spec, bodies)
    _add_cameras(bodies)
    for side in SIDES:
        if fingers:
            add_hand(spec, bodies, side)
        else:
            _lump_hand(bodies, side)
    if visuals:
        skin.add_skin(spec, bodies, fingers)
    if tendons:
        _add_tendons(spec, bodies, fingers, routing_of(routing).varies)
    return spec


def set_options(spec: mujoco.MjSpec) -> None:
    """Solver and units that every model with this robot in it needs."""
    spec.compiler.degree = False
    spec.compiler.autolimits = False
    option = spec.option
    option.timestep = PLANT_DT
    option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    option.impratio = 10.0
    option.iterations = 50
    option.ls_iterations = (
        50  # 10 cut the line search short: wrong contact forces kicked bottles off the table
    )
    option.tolerance = 1e-8
    spec.stat.extent = 1.5
    spec.stat.meansize = 0.1
    spec.visual.map.znear = 0.01


def _add_link(bodies: dict[str, mujoco.MjsBody], link: Link) -> None:
    body = bodies[link.parent].add_body(name=link.name, pos=link.position)
    bodies[link.name] = body
    I = link.inertia()  # noqa: E741
    body.explicitinertial = True
    body.mass = link.mass
    body.ipos = link.com
    body.fullinertia = (I[0, 0], I[1, 1], I[2, 2], I[0, 1], I[0, 2], I[1, 2])
    if link.joint == "free":
        body.add_freejoint(name="base_joint")
    elif link.joint:
        low, high, armature, damping = dynamics(link.joint)
        body.add_joint(
            name=link.joint, type=HINGE, axis=link.axis, limited=mujoco.mjtLimited.mjLIMITED_TRUE,
            range=(low, high), armature=armature, damping=damping,
        )  # fmt: skip


def quat_of(R: np.ndarray) -> np.ndarray:
    """Quaternion (w, x, y, z) of a rotation (3, 3)."""
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, np.ascontiguousarray(R).ravel())
    return quat


def _add_frames(spec: mujoco.MjSpec, bodies: dict[str, mujoco.MjsBody]) -> None:
    """Frames that are no bodies, and the sensors that sit in them."""
    S = mujoco.mjtSensor
    for place, link in (("pelvis", "base_link"), ("head", "head")):
        bodies[link].add_site(name=f"{place}_imu", group=5)
        _sensor(spec, S.mjSENS_GYRO, f"{place}_gyro", f"{place}_imu")
        _sensor(spec, S.mjSENS_ACCELEROMETER, f"{place}_accelerometer", f"{place}_imu")
    for side in SIDES:
        position, R = hand.gripper(side)
        bodies[f"{side}_wrist"].add_site(name=f"{side}_gripper", pos=position, quat=quat_of(R), group=5)
        for place in ("sole", "wrist"):
            site = f"{side}_{place}_wrench"
            bodies[f"{side}_{place}"].add_site(name=site, group=5)
            _sensor(spec, S.mjSENS_FORCE, f"{side}_{place}_force", site)
            _sensor(spec, S.mjSENS_TORQUE, f"{side}_{place}_torque", site)
    x, _, z = skeleton.EYES
    bodies["head"].add_site(name="gaze", pos=(x, 0.0, z), quat=quat_of(_look()), group=5)


def _sensor(spec: mujoco.MjSpec, kind: mujoco.mjtSensor, name: str, site: str) -> None:
    spec.add_sensor(name=name, type=kind, objtype=mujoco.mjtObj.mjOBJ_SITE, objname=site)


def _look() -> np.ndarray:
    """``R_head_gaze`` (3, 3): x ahead, y left, tilted down."""
    c, s = np.cos(skeleton.CAMERA_TILT), np.sin(skeleton.CAMERA_TILT)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def _add_cameras(bodies: dict[str, mujoco.MjsBody]) -> None:
    x, y, z = skeleton.EYES
    optical = _look() @ np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])  # z ahead, y down
    opengl = optical * (1.0, -1.0, -1.0)  # MuJoCo looks along -z with y up
    for name, left in (("left", y), ("right", -y)):
        position = (x, left, z)
        bodies["head"].add_site(
            name=f"head_{name}_camera_optical_frame", pos=position, quat=quat_of(optical), group=5
        )
        bodies["head"].add_camera(
            name=f"head_{name}", pos=position, quat=quat_of(opengl), fovy=skeleton.CAMERA_FOVY
        )


def add_hand(spec: mujoco.MjSpec, bodies: dict[str, mujoco.MjsBody], side: str) -> None:
    """Fingers, pads and their sensors beyond ``bodies["{side}_wrist"]``; tendons are not in it."""
    links, pads = hand.hand_parts(side)
    for link in links:
        _add_link(bodies, link)
    for pad in pads:
        name = f"{side}_{pad.taxel}"
        contact.add_pad_geom(bodies[pad.link], f"{name}_pad", pad)
        bodies[pad.link].add_site(name=f"{name}_pad", pos=pad.surface, quat=quat_of(pad.R_link_pad), group=5)
        spec.add_sensor(
            name=name, type=mujoco.mjtSensor.mjSENS_CONTACT, reftype=mujoco.mjtObj.mjOBJ_GEOM,
            refname=f"{name}_pad", intprm=contact.NET_FORCE,
        )  # fmt: skip
    contact.exclude_hand_pairs(spec, side)


def _lump_hand(bodies: dict[str, mujoco.MjsBody], side: str) -> None:
    wrist = bodies[f"{side}_wrist"]
    mass, com, I = lumped_hand(side)  # noqa: E741
    wrist.mass, wrist.ipos = mass, com
    wrist.fullinertia = (I[0, 0], I[1, 1], I[2, 2], I[0, 1], I[0, 2], I[1, 2])
    for pad in hand.hand_parts(side)[1]:
        if pad.size is not None:
            contact.add_pad_geom(wrist, f"{side}_{pad.taxel}_pad", pad)


@cache
def lumped_hand(side: str) -> tuple[float, np.ndarray, np.ndarray]:
    """Mass (kg), centre (3,) m and inertia (3, 3) about it of palm and fingers at ``hand.HALF_OPEN``."""
    spec = mujoco.MjSpec()
    set_options(spec)
    bodies = {"world": spec.worldbody}
    palm = next(link for link in skeleton.body_links() if link.name == f"{side}_wrist")
    links = [
        Link(palm.name, "world", (0, 0, 0), "", palm.mass, palm.com, palm.radii),
        *hand.hand_parts(side)[0],
    ]
    for link in links:
        _add_link(bodies, link)
    model = spec.compile()
    data = mujoco.MjData(model)
    for joint, angle in hand.HALF_OPEN.items():
        data.joint(f"{side}_{joint}").qpos = angle
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    mass = model.body_mass[1:].sum()
    com = model.body_mass[1:] @ data.xipos[1:] / mass
    inertia = np.zeros((3, 3))
    for b in range(1, model.nbody):
        R = data.ximat[b].reshape(3, 3)
        r = data.xipos[b] - com
        shift = r @ r * np.eye(3) - np.outer(r, r)
        inertia += R @ np.diag(model.body_inertia[b]) @ R.T + model.body_mass[b] * shift
    return float(mass), com, inertia


def _add_tendons(spec: mujoco.MjSpec, bodies: dict[str, mujoco.MjsBody], fingers: bool, routed: bool) -> None:
    """Fixed tendons of length ``-A.T @ q``, or the body's along their routes, with a motor each that pulls:
    ``ctrl`` is tension (N)."""
    groups = [("", BODY)] + ([(f"{side}_", HAND) for side in SIDES] if fingers else [])
    for prefix, group in groups:
        joints = prefixed(prefix[0], group.joints) if prefix else group.joints
        for j, tendon_name in enumerate(group.tendons):
            name = prefix + tendon_name
            if routed and group is BODY:
                tendon_routes.add_route(spec, bodies, name)
            else:
                tendon = spec.add_tendon(name=name)
                for i in np.flatnonzero(group.moment_arms[:, j]):
                    tendon.wrap_joint(joints[i], -group.moment_arms[i, j])
            actuator = spec.add_actuator(
                name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_TENDON,
                ctrllimited=mujoco.mjtLimited.mjLIMITED_TRUE, ctrlrange=(0.0, group.tension_max[j]),
            )  # fmt: skip
            actuator.gear[0] = -1.0
    assert not fingers or tuple(a.name for a in spec.actuators) == TENDONS
