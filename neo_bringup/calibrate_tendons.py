"""``neo calibrate tendons``: a simulated robot stands, moves, and finds out about its tendons."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Callable
from pathlib import Path

import numpy as np

from neo_body_control.controller import BodyController
from neo_body_control.settings import load_parameters
from neo_body_control.tendon_calibration import TendonCalibration
from neo_body_control.tendon_calibrator import TendonCalibrator
from neo_description.errors import NeoError
from neo_description.tables import BODY
from neo_description.tendon_routes import privileged_arms
from neo_sim.plant import Plant


def run(args: argparse.Namespace, out: Path) -> int:
    """0; NeoError (2) when it cannot be done."""
    from neo_description.scenes import make
    from neo_sim.plant import load_parameters as load_plant_parameters

    if args.live:
        raise NeoError("tendons: --live is not offered, only a simulated robot (docs/how-to/real-drives.md)")
    sim = {"mass_error": args.mass_error, "arm_error": args.arm_error, "tendon_routing": args.tendon_routing}
    scene = make("empty", args.seed, routing=args.tendon_routing)
    plant = Plant(scene, load_plant_parameters(**sim), args.seed)
    source = (
        f"simulated robot, {args.tendon_routing} tendons, seed {args.seed}, masses ± {args.mass_error:g}, "
        f"arms ± {args.arm_error:g}"
    )
    print(f"calibrating the body's tendons: {source}", flush=True)
    calibration = calibrate(
        plant, TendonCalibrator(BodyController(load_parameters(tendon_routing=args.tendon_routing)))
    )
    calibration.source = source
    calibration.date = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    calibration.save(out)
    report(calibration, privileged_arms(plant.model))
    print(f"wrote {out}; give it to body_control as its parameter tendon_calibration")
    return 0


def _said(line: str) -> None:
    print(line, flush=True)


def calibrate(
    plant: Plant, calibrator: TendonCalibrator, say: Callable[[str], None] = _said
) -> TendonCalibration:
    """Let ``calibrator`` move the robot of ``plant``, telling about it; NeoError says why it could not."""
    doing = ""
    while not calibrator.done:
        state = plant.body_state()
        refused = plant.command_body(calibrator.update(state))
        if calibrator.failure or refused:
            raise NeoError(f"tendons not calibrated: {calibrator.failure or refused}")
        if calibrator.doing != doing:
            doing = calibrator.doing
            say(f"  {100 * calibrator.progress:3.0f} %  {state.time:5.1f} s  {doing}")
        plant.step()
    return calibrator.result


def report(calibration: TendonCalibration, true: np.ndarray) -> None:
    """What was found, joint by joint, and against the truth."""
    print(f"{'joint':20s}{'arm plus':>10s}{'arm minus':>11s}{'friction':>10s}{'stiffness':>12s}")
    for j, joint in enumerate(BODY.joints):
        pair = slice(2 * j, 2 * j + 2)
        plus, minus = calibration.arm[pair]
        told = "" if calibration.arm_error[pair].all() else "  arm assumed: it moved too little"
        print(
            f"{joint:20s}{plus:10.4f}{minus:11.4f}{100 * calibration.friction[j]:9.1f}%"
            f"{calibration.stiffness[pair].mean() / 1000:8.1f} kN/m{told}"
        )
    print(f"drives lag by {1000 * calibration.lag:.0f} ms")
    before, after = (100 * np.abs(arm - true).max() for arm in (np.ones(len(true)), calibration.arm))
    print(f"by the simulator's truth: worst error of an arm {before:.2f} % → {after:.2f} %")
