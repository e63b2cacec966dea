"""The simulated head camera: renders the scene from a plant state (``qpos``), with image noise."""

from __future__ import annotations

from types import SimpleNamespace

import mujoco
import numpy as np

from neo_description.errors import NeoError
from neo_description.signals import StereoFrame
from neo_sensors.camera import pinhole_pair
from neo_sensors.renderer import Renderer

LEFT, RIGHT, OUTSIDE = "head_left", "head_right", "outside"


class SimCamera:
    """Stereo pairs of ``model`` (default: the parameters' scene and seed); a :class:`StereoCamera`.

    :meth:`set_state`, then :meth:`read`. The images are those of the ideal pair in ``left_camera`` and
    ``right_camera``, with independent noise of ``image_noise`` on every value.
    """

    def __init__(self, params: SimpleNamespace, model: mujoco.MjModel | None = None) -> None:
        if model is None:
            from neo_description import scenes

            model = scenes.make(
                params.scene,
                params.seed,
                objects_file=params.objects_file or None,
                scene_file=params.scene_file or None,
            ).model
        names = {model.camera(i).name for i in range(model.ncam)}
        if not {LEFT, RIGHT} <= names:
            raise NeoError(
                f"the model has no cameras {LEFT} and {RIGHT}; it has {', '.join(sorted(names)) or 'none'}"
            )
        self.params = params
        self.has_outside = OUTSIDE in names
        self._model, self._data = model, mujoco.MjData(model)
        mujoco.mj_kinematics(model, self._data)
        mujoco.mj_camlight(model, self._data)
        apart = self._data.cam(LEFT).xpos - self._data.cam(RIGHT).xpos
        fov_y = float(np.deg2rad(model.camera(LEFT).fovy[0]))
        self.left_camera, self.right_camera = pinhole_pair(
            params.width, params.height, fov_y, float(np.linalg.norm(apart))
        )
        self._renderer = Renderer(model, params.width, params.height)
        self._rng = np.random.default_rng(params.seed)
        # A pool of normal deviates, entered at a random place each frame: 20 times faster than drawing anew.
        self._noise = self._rng.standard_normal(3 * params.width * params.height + 65521).astype(np.float32)

    def set_state(self, qpos: np.ndarray) -> None:
        """What the next pictures show; ``qpos`` (nq,) of the scene's model."""
        if qpos.shape != self._data.qpos.shape:
            raise NeoError(
                f"a state of {qpos.size} numbers, the camera's scene has {self._data.qpos.size}: are the "
                "camera's `scene` and `seed` those of the plant?"
            )
        self._data.qpos[:] = qpos
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)

    def read(self, time: float, tick: int, depth: bool = False) -> StereoFrame:
        """The pair seen at the set state; with the true ``depth`` of the left camera when asked."""
        self._renderer.update(self._data, LEFT, RIGHT)
        if depth:
            left, z = self._renderer.rgb_and_depth()
        else:
            left, z = self._renderer.rgb(), None
        self._renderer.look(self._data, RIGHT)
        right = self._noisy(self._renderer.rgb())
        return StereoFrame(time, tick, self._noisy(left), right, self.left_camera, self.right_camera, z)

    def outside(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB of the scene's camera ``outside``."""
        self._renderer.update(self._data, OUTSIDE)
        return np.ascontiguousarray(self._renderer.rgb())

    def privileged_geoms(self) -> np.ndarray:
        """(H, W) id of the geom at each pixel of the left image, -1 for none: truth, for scores only."""
        self._renderer.update(self._data, LEFT)
        return self._renderer.geoms()

    def close(self) -> None:
        """Free the renderer."""
        self._renderer.close()

    def _noisy(self, image: np.ndarray) -> np.ndarray:
        if self.params.image_noise == 0.0:
            return np.ascontiguousarray(image)
        start = int(self._rng.integers(0, self._noise.size - image.size))
        noise = self._noise[start : start + image.size].reshape(image.shape)
        return np.clip(image + self.params.image_noise * noise + 0.5, 0, 255).astype(np.uint8)
