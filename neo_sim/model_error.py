"""A robot that is not quite the one of its tables: other masses, other moment arms, things tied to its links.

What the controllers believe of the robot stays as it is. Errors are drawn uniformly, each link's mass (its
inertia with it) and each tendon's arm about each joint for itself, from the plant's seed. A routed tendon's
sites and pulley stand that much nearer to the axis or farther from it.
"""

from __future__ import annotations

import mujoco
import numpy as np

from neo_description import tendon_routes
from neo_description.errors import NeoError


class ModelError:
    """Changes ``model`` in place; :meth:`draw` begins from the model as it was made."""

    def __init__(self, model: mujoco.MjModel):
        self._model = model
        self._made = {
            name: getattr(model, name).copy()
            for name in (
                "body_mass", "body_inertia", "body_ipos", "body_iquat", "wrap_prm", "site_pos", "geom_size"
            )
        }  # fmt: skip
        self._joints = np.flatnonzero(model.wrap_type == mujoco.mjtWrap.mjWRAP_JOINT)
        self._changed = False

    def draw(self, seed: int, masses: float, arms: float) -> None:
        """Masses within ``1 ± masses``, arms within ``1 ± arms`` of the made ones; nothing is tied on."""
        if not (self._changed or masses or arms):
            return
        model = self._model
        for name, made in self._made.items():
            getattr(model, name)[:] = made
        rng = np.random.default_rng((seed, 7))
        scale = rng.uniform(1.0 - masses, 1.0 + masses, model.nbody)
        model.body_mass[:] *= scale
        model.body_inertia[:] *= scale[:, None]
        routed = tendon_routes.routed(model)  # in both routings the body's tendons come first
        scale = rng.uniform(1.0 - arms, 1.0 + arms, len(routed) + len(self._joints))
        for tendon, factor in zip(routed, scale, strict=False):
            tendon_routes.stretch(model, tendon, factor)
        model.wrap_prm[self._joints] *= scale[len(routed) :]
        self._settle()

    def tie(self, body: int, mass: float, place: np.ndarray) -> None:
        """A small thing of ``mass`` (kg) hangs rigidly on link ``body`` at ``place`` (3,) m in its frame."""
        if not 0.0 < mass < 100.0:
            raise NeoError(f"a thing of {mass} kg; more than 0 and less than 100 kg")
        model = self._model
        flat = np.zeros(9)
        mujoco.mju_quat2Mat(flat, model.body_iquat[body])
        R = flat.reshape(3, 3)
        own, centre = model.body_mass[body], model.body_ipos[body].copy()
        apart = np.asarray(place, float) - centre
        reduced = own * mass / (own + mass)
        inertia = R @ np.diag(model.body_inertia[body]) @ R.T
        inertia += reduced * (apart @ apart * np.eye(3) - np.outer(apart, apart))
        principal, axes = np.linalg.eigh(inertia)
        if np.linalg.det(axes) < 0.0:
            axes[:, 0] = -axes[:, 0]
        quat = np.zeros(4)
        mujoco.mju_mat2Quat(quat, np.ascontiguousarray(axes).ravel())
        model.body_mass[body] = own + mass
        model.body_ipos[body] = centre + mass / (own + mass) * apart
        model.body_inertia[body], model.body_iquat[body] = principal, quat
        self._settle()

    def _settle(self) -> None:
        """What follows from masses and arms."""
        self._changed = True
        mujoco.mj_setConst(self._model, mujoco.MjData(self._model))
