"""A hand with the Shadow hand's names and random lengths and axes; imports nothing of our core."""

import mujoco
import numpy as np

from benchmarks.shadow import hand


def made_up(rng):
    """A model with the Shadow hand's names and random lengths, axes and ranges."""
    joints, pads = hand.table()
    spec = mujoco.MjSpec()
    palm = spec.worldbody.add_body(name=hand.PALM, pos=rng.normal(size=3), quat=rng.normal(size=4))
    links = {}
    for finger in ("thumb", "index", "middle", "ring", "little"):
        body = palm
        for ours in [name for name in joints if name.startswith(finger)]:
            theirs = joints[ours]["name"]
            body = body.add_body(name=theirs, pos=0.03 * rng.normal(size=3))
            body.explicitinertial, body.mass, body.inertia = True, 0.01, (1e-5, 1e-5, 1e-5)
            joint = body.add_joint(name=hand.PREFIX + theirs, axis=rng.normal(size=3))
            joint.limited, joint.range = True, np.degrees((-rng.uniform(1.6, 2.0), rng.uniform(1.6, 2.0)))
            links[ours] = body
            if "of" not in joints[ours]:
                drive = spec.add_actuator(
                    name=f"{hand.PREFIX}A_{theirs}", target=joint.name, trntype=mujoco.mjtTrn.mjTRN_JOINT
                )
                drive.set_to_position(kp=float(rng.uniform(0.5, 2.0)))
                effort = float(rng.uniform(0.5, 2.0))
                drive.forcelimited, drive.forcerange = True, (-effort, effort)
                drive.ctrllimited, drive.ctrlrange = True, (-9.0, 9.0)
    ends = {"proximal": "mcp_flex", "middle": "pip_flex", "distal": "dip_flex"}
    for ours, row in pads.items():
        finger, part = ours.split("_", 1)
        if finger == "palm":
            body = palm
        elif finger == "thumb":
            flexed = {"metacarpal": "cmc_flex", "proximal": "mcp_flex", "distal": "ip_flex"}
            body = links[f"thumb_{flexed[part]}"]
        else:
            body = links[f"{finger}_{ends[part]}"]
        if hand.PREFIX + row["geom"] not in [geom.name for geom in body.geoms]:
            body.add_geom(
                name=hand.PREFIX + row["geom"], type=mujoco.mjtGeom.mjGEOM_CAPSULE, size=(0.007, 0.012, 0.0),
                pos=(0.0, 0.0, 0.012),
            )  # fmt: skip
    return spec.compile()
