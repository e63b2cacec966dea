"""One hand held still with a thing in it: closing, then weight and shaking. Used by the hand's tests."""

from __future__ import annotations

import mujoco
import numpy as np

from neo_description import builder, contact
from neo_description.hand import FINGERS, R_WORLD_WRIST, gripper
from neo_description.skeleton import body_links
from neo_description.tables import HAND, TAXELS, prefixed


class HandBench:
    """Hand ``side``, its wrist fixed, with a free body ``thing`` at ``offset`` (3,) m in the gripper."""

    def __init__(self, side, kind, size, mass, offset=(0.0, 0.0, 0.0), friction=0.6):
        self.side = side
        spec = mujoco.MjSpec()
        builder.set_options(spec)
        palm = next(link for link in body_links() if link.name == f"{side}_wrist")
        wrist = spec.worldbody.add_body(name=palm.name, quat=builder.quat_of(R_WORLD_WRIST))
        wrist.explicitinertial, wrist.mass = True, palm.mass
        wrist.ipos, wrist.inertia = palm.com, np.diag(palm.inertia())
        builder.add_hand(spec, {"world": spec.worldbody, palm.name: wrist}, side)
        position, R = gripper(side)
        thing = spec.worldbody.add_body(name="thing", pos=R_WORLD_WRIST @ (position + R @ np.array(offset)))
        thing.add_freejoint()
        thing.add_geom(
            type=kind, size=size, mass=mass, condim=4, friction=(friction, 0.005, 0.0001), priority=1,
            contype=contact.OBJECT | contact.WORLD, conaffinity=contact.OBJECT | contact.WORLD,
            solref=contact.SOLREF, solimp=contact.SOLIMP,
        )  # fmt: skip
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        joints = [self.model.joint(name) for name in prefixed(side, HAND.joints)]
        self._q = [joint.qposadr[0] for joint in joints]
        self._v = [joint.dofadr[0] for joint in joints]
        self._pads = [
            (self.model.sensor(name).adr[0], self.model.site(f"{name}_pad").id)
            for name in prefixed(side, TAXELS)
        ]

    def pose(self, joints):
        """Set joints (name without side → rad), the others zero, at once."""
        self.data.qpos[self._q] = [joints.get(name, 0.0) for name in HAND.joints]
        mujoco.mj_forward(self.model, self.data)

    def close(self, joints, effort, seconds, gravity):
        """Move towards ``joints`` with at most ``effort`` times each joint's; ``gravity(t)`` (3,) m/s²."""
        start = self.data.qpos[self._q].copy()
        goal = np.array([joints.get(name, 0.0) for name in HAND.joints])
        for i in range(int(seconds / self.model.opt.timestep)):
            t = i * self.model.opt.timestep
            wanted = start + (goal - start) * min(t / 0.5, 1.0)
            torque = 4.0 * (wanted - self.data.qpos[self._q]) - 0.05 * self.data.qvel[self._v]
            self.data.qfrc_applied[self._v] = np.clip(torque, -effort * HAND.effort, effort * HAND.effort)
            self.model.opt.gravity[:] = gravity(t)
            mujoco.mj_step(self.model, self.data)

    def thing(self):
        """Position (3,) m of the thing."""
        return self.data.body("thing").xpos.copy()

    def forces(self):
        """Forces (19, 3) N on the pads in the world's frame."""
        return np.array([self.data.sensordata[adr : adr + 3] for adr, _ in self._pads])

    def normal_forces(self):
        """Normal forces (19,) N: into the flesh is positive."""
        R = [self.data.site_xmat[site].reshape(3, 3) for _, site in self._pads]
        return np.array([-(r.T @ f)[0] for r, f in zip(R, self.forces(), strict=True)])


def nothing(_):
    return np.zeros(3)


def shaking(t):
    """Weight, and after half a second 5 m/s² to and fro on every axis."""
    shake = 5.0 * np.sin(np.array([12.0, 17.0, 23.0]) * t) if t > 0.5 else np.zeros(3)
    return np.array([0.0, 0.0, -9.81]) + shake


def fingers(mcp, pip, dip, which=tuple(FINGERS)):
    """Flexion of several fingers alike."""
    return {
        f"{f}_{joint}_flex": angle
        for f in which
        for joint, angle in (("mcp", mcp), ("pip", pip), ("dip", dip))
    }
