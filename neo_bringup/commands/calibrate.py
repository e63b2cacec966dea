"""``neo calibrate hand`` and ``tendons``: the robot finds out about its pads and tendons."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path
from typing import Protocol

import numpy as np

from neo_bringup import calibrate_tendons, output
from neo_bringup.client import add_namespace, connect
from neo_description.errors import NeoError
from neo_description.routing import ROUTINGS
from neo_description.signals import DriveMode, HandState, TendonCommand
from neo_description.tables import BODY, SIDES, TAXELS
from neo_hand_control.calibration import Calibration
from neo_hand_control.calibrator import HandCalibrator

HELP = "measure a hand's pads (neo calibrate hand) or the body's tendons (neo calibrate tendons)"
BACKENDS = ("robot", "rig")


class Hand(Protocol):
    """A hand that can be calibrated."""

    def state(self) -> HandState: ...
    def command(self, command: TendonCommand) -> str | None: ...
    def step(self) -> None: ...
    def privileged_gain(self) -> np.ndarray: ...


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("hand", "tendons"))
    parser.add_argument("--side", default="r", help="l or r; default: r")
    parser.add_argument("--out", type=Path, metavar="FILE",
        help="default: SIDE_hand_calibration.yaml, tendon_calibration.yaml",
    )  # fmt: skip
    parser.add_argument(
        "--sim",
        choices=BACKENDS,
        default="robot",
        help="robot: the one that `neo up` simulates with this seed; rig: a hand on a test bench, quicker",
    )
    parser.add_argument(
        "--live",
        action="store_true",
        help="the robot that runs now: its hand's node does it, and believes it",
    )
    parser.add_argument("--timeout", type=float, default=900.0, help="s of wall time for --live")
    add_namespace(parser)
    parser.add_argument("--seed", type=int, default=0, help="of the simulated hand's faults; default: 0")
    parser.add_argument(
        "--arm-error", type=float, default=0.05, help="tendons: true moment arms differ by up to this share"
    )
    parser.add_argument(
        "--tendon-routing",
        choices=ROUTINGS,
        default="fixed",
        help="tendons: how the body's run; default: fixed",
    )
    parser.add_argument("--mass-error", type=float, default=0.1, help="tendons: true masses, likewise")
    parser.add_argument("--dead", nargs="*", default=[], metavar="PAD", help="such as r_index_distal")
    parser.add_argument("--stuck", nargs="*", default=[], metavar="PAD", help="pads that lie")


def run(args: argparse.Namespace) -> int:
    """0: calibrated, the file is written. NeoError (2): the hand, the tendons or the file could not be."""
    if args.what == "tendons":
        out = args.out or Path("tendon_calibration.yaml")
        _writable(out)
        return calibrate_tendons.run(args, out)
    if args.side not in SIDES:
        raise NeoError(f"no hand {args.side!r}; one of {', '.join(SIDES)}")
    out = args.out or Path(f"{args.side}_hand_calibration.yaml")
    _writable(out)
    if args.live:
        calibration = _live(args)
        calibration.save(out)
        _report(calibration)
        print(f"wrote {out}")
        return 0
    faults = {"dead_taxels": args.dead, "stuck_taxels": args.stuck}
    hand = Rig(args.side, args.seed, faults) if args.sim == "rig" else Robot(args.side, args.seed, faults)
    source = f"simulated {args.sim}, seed {args.seed}"
    print(f"calibrating the {'left' if args.side == 'l' else 'right'} hand: {source}", flush=True)
    calibration = calibrate(args.side, hand)
    calibration.source = source
    calibration.date = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    calibration.save(out)
    _report(calibration, hand.privileged_gain())
    print(f"wrote {out}")
    return 0


def calibrate(side: str, hand: Hand, calibrator: HandCalibrator | None = None) -> Calibration:
    """Calibrate ``hand``, telling about it; NeoError says why it could not be done."""
    calibrator = calibrator or HandCalibrator(side)
    doing = ""
    while not calibrator.done:
        state = hand.state()
        refused = hand.command(calibrator.update(state))
        if calibrator.failure or refused:
            raise NeoError(f"{side} hand not calibrated: {calibrator.failure or refused}")
        if calibrator.doing != doing:
            doing = calibrator.doing
            output.progress(f"{100 * calibrator.progress:3.0f} %  {state.time:5.1f} s  {doing}")
        hand.step()
    return calibrator.result


def _live(args: argparse.Namespace) -> Calibration:
    """What the hand's node finds out; NeoError with its reason when it refuses."""
    from std_srvs.srv import Trigger

    from neo_ros import graph

    with connect(args) as stack:
        client = graph.service_client(stack.node, f"{args.side}_hand/calibrate")
        print(f"the {'left' if args.side == 'l' else 'right'} hand of the running robot calibrates itself")
        answer = stack.call(client, Trigger.Request(), args.timeout)
    if not answer.success:
        raise NeoError(f"{args.side} hand not calibrated: {answer.message}")
    return Calibration.parse(answer.message, args.side, "of the running robot")


def _writable(file: Path) -> None:
    """NeoError now rather than after a minute."""
    try:
        existed = file.exists()
        with file.open("a"):
            pass
        if not existed:
            file.unlink()
    except OSError as error:
        raise NeoError(f"cannot write {file}: {error.strerror}") from None


def _report(calibration: Calibration, true_gain: np.ndarray | None = None) -> None:
    print(f"{'pad':22s}{'gain':>7s}{'+-':>7s}  zero (N)")
    for name, pad in zip(TAXELS, calibration.pads, strict=True):
        if pad.broken:
            print(f"{name:22s}  broken  {pad.broken}")
            continue
        error = f"{100 * pad.error:.1f} %" if pad.measured else "assumed"
        print(f"{name:22s}{pad.gain:7.3f}{error:>8s}  {' '.join(f'{value:6.3f}' for value in pad.zero)}")
    print(f"tendons lose {100 * calibration.friction:.1f} % of their tension at {calibration.speed:.3f} m/s")
    measured = np.array([pad.measured for pad in calibration.pads])
    if true_gain is not None and measured.any():
        before, after = (
            100 * np.sqrt(np.mean((gain / true_gain - 1.0)[measured] ** 2))
            for gain in (np.ones(len(TAXELS)), calibration.gain)
        )
        print(
            f"by the simulator's truth: rms error of {measured.sum()} scales {before:.1f} % → {after:.1f} %"
        )


class Rig:
    """A hand alone on the test bench."""

    def __init__(self, side: str, seed: int, faults: dict[str, list[str]]):
        from neo_sim.hand_rig import HandRig
        from neo_sim.plant import load_parameters

        self.rig = HandRig(side, seed=seed, params=load_parameters(**faults))
        self.state, self.command, self.step = self.rig.state, self.rig.command, self.rig.step

    def privileged_gain(self) -> np.ndarray:
        """(19,) the pads' true gains, for the score."""
        return self.rig.pads().privileged_gain


class Robot:
    """A hand of the whole robot, whose other drives hold."""

    def __init__(self, side: str, seed: int, faults: dict[str, list[str]]):
        from neo_description.scenes import make
        from neo_sim.plant import Plant, load_parameters

        self._side = side
        self._plant = Plant(make("empty", seed), load_parameters(**faults), seed)

    def state(self) -> HandState:
        """The hand's; see :class:`Hand`."""
        return self._plant.hand_state(self._side)

    def command(self, command: TendonCommand) -> str | None:
        """``None``: accepted, else why not."""
        return self._plant.command_hand(self._side, command)

    def step(self) -> None:
        """One tick; everything but the hand is told to hold."""
        hold = TendonCommand(self._plant.tick, DriveMode.HOLD, np.array(BODY.pretension))
        refused = self._plant.command_body(hold)
        if refused is not None:
            raise NeoError(f"the body's drives refused to hold: {refused}")
        self._plant.step()

    def privileged_gain(self) -> np.ndarray:
        """(19,) the pads' true gains, for the score."""
        return self._plant.pads(self._side).privileged_gain
