"""Lets our core pre-shape the made-up hand; prints the phase and the largest joint error (rad)."""

import numpy as np
from made_up_hand import made_up

from benchmarks.shadow import fit, hand
from neo_description.signals import DriveMode, HandAction, HandCommand, HandState
from neo_description.tables import CONTROL_DT, HAND

DAMPING = 0.1  # N m s/rad


def main() -> None:
    model = made_up(np.random.default_rng(3))
    fit.fit(model)
    from benchmarks.shadow.trial import GRASP, parameters_of
    from neo_hand_control.controller import HandController
    from neo_hand_control.grasps import grasps

    at = hand.Addresses(model)
    drives, gain, group = at.drives(model), model.actuator_gainprm[at.actuator, 0], at.joint_group(model)
    controller = HandController("r", parameters_of())
    q, qd = np.zeros((2, len(HAND.joints)))
    for tick in range(1000):
        state = HandState(tick=tick, time=tick * CONTROL_DT, joint_position=q.copy(), joint_velocity=qd)
        state.drive_mode = DriveMode.TENSION
        command = controller.update(state)
        if tick == 0:
            controller.command(HandCommand(HandAction.PRESHAPE, grasp=GRASP, width=0.04))
        if command.mode == DriveMode.TENSION:
            torque = gain * (
                drives.targets(group.moment_arms @ command.tension, q)
                - at.sign[drives.driven] * q[drives.driven]
            )
            qd = np.zeros(len(q))
            qd[drives.driven] = at.sign[drives.driven] * torque / DAMPING
            for i, row in enumerate(at.joints.values()):
                if "of" in row:
                    qd[i] = row["ratio"] * qd[HAND.index(row["of"])]
            q = q + qd * CONTROL_DT
    wanted = grasps()[GRASP].preshape(0.04)
    print(controller.status.phase.name, np.abs(wanted - q).max())


main()
