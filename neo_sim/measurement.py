"""From the physics to what the firmware reports at one control tick: BodyState and HandState."""

from __future__ import annotations

from types import SimpleNamespace

import mujoco
import numpy as np

from neo_description.index import RobotIndex
from neo_description.signals import BodyState, HandState
from neo_description.tables import BODY, HAND
from neo_description.tendon_routes import routed
from neo_sim.drives import DriveGroup
from neo_sim.faults import Broken
from neo_sim.pads import Pads, PadSettings
from neo_sim.sensors import Encoders, Noise
from neo_sim.wrist_tendons import WristTendons

IMUS = ("pelvis_gyro", "pelvis_accelerometer", "head_gyro", "head_accelerometer")
WRENCHES = ("l_sole", "r_sole", "l_wrist", "r_wrist")


def _encoders(params: SimpleNamespace, n: int, m: int, rng: np.random.Generator) -> Encoders:
    """``n`` joint encoders followed by ``m`` reels, which know no absolute error."""

    def both(joint: float, reel: float) -> np.ndarray:
        return np.repeat([joint, reel], [n, m])

    noise = Noise(
        n + m,
        rng,
        noise=both(params.encoder_noise, params.length_noise),
        bias=both(params.encoder_bias, 0.0),
        resolution=both(params.encoder_resolution, params.length_resolution),
    )
    return Encoders(noise, params.velocity_cutoff)


class _Joints:
    """Joint encoders and reels of one group, ``n`` joints before the tendons; some may break."""

    _encoders: Encoders
    _n: int

    def break_encoder(self, kind: str, joint: int, size: float) -> None:
        """``stuck``, ``offset`` (by ``size`` rad) or ``lost``, from the next measurement on."""
        broken = self._encoders.broken = self._encoders.broken or Broken(self._encoders.size)
        if kind == "stuck":
            broken.freeze([joint])
        elif kind == "offset":
            broken.shift(joint, size)
        else:
            broken.lose(joint)

    def _measure(
        self, angles: np.ndarray, lengths: np.ndarray, drives: DriveGroup
    ) -> tuple[np.ndarray, np.ndarray]:
        """Positions and velocities (n + m,): joints, then reels."""
        if drives.broken is not None:
            lengths = lengths + drives.broken.shift
        return self._encoders(np.concatenate([angles, lengths]))


class BodySensors(_Joints):
    """Everything the body measures. ``rng`` seeds biases and noise."""

    def __init__(self, params: SimpleNamespace, index: RobotIndex, rng: np.random.Generator):
        self._index = index
        n, m = len(BODY.joints), len(BODY.tendons)
        self._n = n
        self._encoders = _encoders(params, n, m, rng)
        # MuJoCo gives the parent's force on the child; reported is the child's on the parent: the ground's
        # push that comes through the foot, the hand's weight on the forearm.
        self._sign = np.repeat([1.0, -1.0], [3 * len(IMUS), 6 * len(WRENCHES)])
        self._address = np.concatenate(
            [index.sensor(name) for name in IMUS] + [index.wrench(name) for name in WRENCHES]
        )
        self._wrists = WristTendons(index) if routed(index.model) else None
        wrench = np.repeat([params.force_noise, params.torque_noise], 3)
        wrench_bias = np.repeat([params.force_bias, params.torque_bias], 3)
        imu = np.repeat([params.gyro_noise, params.accelerometer_noise], 3)
        imu_bias = np.repeat([params.gyro_bias, params.accelerometer_bias], 3)
        self._analog = Noise(
            m + len(self._address),
            rng,
            noise=np.concatenate([np.full(m, params.body_tension_noise), imu, imu, *4 * [wrench]]),
            bias=np.concatenate([np.zeros(m), imu_bias, imu_bias, *4 * [wrench_bias]]),
            gain_error=np.repeat([params.tension_gain_error, 0.0], [m, len(self._address)]),
        )
        self._broken: Broken | None = None

    def freeze_imu(self, place: str) -> None:
        """The IMU in ``pelvis`` or ``head`` reports the same again and again."""
        self._broken = self._broken or Broken(len(self._address))
        at = 6 * (IMUS.index(f"{place}_gyro") // 2)
        self._broken.freeze(range(at, at + 6))

    def measure(self, data: mujoco.MjData, drives: DriveGroup, tick: int, time: float) -> BodyState:
        """The state of control tick ``tick``."""
        index, n = self._index, self._n
        position, velocity = self._measure(
            data.qpos.take(index.body_qpos), index.reels(data, index.body_tendons), drives
        )
        felt = data.sensordata.take(self._address)
        if self._wrists is not None:
            felt[-12:] += self._wrists(data)
        analog = self._analog(np.concatenate([drives.tension, self._sign * felt]))
        m = len(drives.tension)
        rest = analog[m:] if self._broken is None else self._broken(analog[m:])
        return BodyState(
            tick=tick,
            time=time,
            joint_position=position[:n],
            joint_velocity=velocity[:n],
            tendon_length=position[n:],
            tendon_velocity=velocity[n:],
            tendon_tension=analog[:m],
            pelvis_angular_velocity=rest[0:3],
            pelvis_linear_acceleration=rest[3:6],
            head_angular_velocity=rest[6:9],
            head_linear_acceleration=rest[9:12],
            l_sole_wrench=rest[12:18],
            r_sole_wrench=rest[18:24],
            l_wrist_wrench=rest[24:30],
            r_wrist_wrench=rest[30:36],
            drive_mode=drives.mode,
            runstop=drives.runstop,
        )


class HandSensors(_Joints):
    """Everything one hand measures."""

    def __init__(
        self,
        side: str,
        params: SimpleNamespace,
        index: RobotIndex,
        rng: np.random.Generator,
    ):
        self._side, self._robot, self._index = side, index, index.hands[side]
        n, m = len(HAND.joints), len(HAND.tendons)
        self._n = n
        self._encoders = _encoders(params, n, m, rng)
        self._tension = Noise(m, rng, params.hand_tension_noise, gain_error=params.tension_gain_error)
        self.pads = Pads(side, rng, PadSettings.of(params))

    def measure(self, data: mujoco.MjData, drives: DriveGroup, tick: int, time: float) -> HandState:
        """The state of control tick ``tick``."""
        index, n = self._index, self._n
        position, velocity = self._measure(
            data.qpos.take(index.qpos), self._robot.reels(data, index.tendons), drives
        )
        return HandState(
            tick=tick,
            time=time,
            joint_position=position[:n],
            joint_velocity=velocity[:n],
            tendon_length=position[n:],
            tendon_velocity=velocity[n:],
            tendon_tension=self._tension(drives.tension),
            taxel_force=self.pads(self._robot.pad_forces(data, self._side)),
            taxel_valid=self.pads.valid,
            drive_mode=drives.mode,
            runstop=drives.runstop,
        )
