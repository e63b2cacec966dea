"""Off-screen rendering of a MuJoCo model: no shadows, reflections or multisampling (5 to 10 times faster)."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import mujoco
import numpy as np

from neo_description.errors import NeoError

GL_BACKENDS = ("egl", "osmesa", "glfw")
NO_GL = (
    "cannot render: no OpenGL through MUJOCO_GL={backend} ({error}). On Debian: "
    "sudo apt-get install libegl1 libgl1-mesa-dri (MUJOCO_GL=egl), or sudo apt-get install libosmesa6 "
    "(MUJOCO_GL=osmesa)"
)


def _gl_context(width: int, height: int) -> Any:
    backend = os.environ.get("MUJOCO_GL", "").lower() or "egl"
    if backend not in GL_BACKENDS:
        raise NeoError(f"MUJOCO_GL={backend!r} is none of {', '.join(GL_BACKENDS)}")
    try:
        context = importlib.import_module(f"mujoco.{backend}").GLContext(width, height)
        context.make_current()
        return context
    # PyOpenGL and EGL raise errors of many unrelated types when a library is missing.
    except Exception as error:
        raise NeoError(
            NO_GL.format(backend=backend, error=str(error).split("\n")[0] or type(error).__name__)
        ) from None


SMALL, SLICES, STACKS = 128, 12, 6  # px high: in such a picture nobody sees more facets of a round thing
UNSEEN = 5  # a group of geoms that is never drawn


class Renderer:
    """Renders cameras of ``model`` at ``width`` × ``height`` px; use it from the thread that made it."""

    def __init__(self, model: mujoco.MjModel, width: int, height: int) -> None:
        model.vis.global_.offwidth, model.vis.global_.offheight = width, height
        quality = model.vis.quality
        quality.offsamples = quality.shadowsize = 0
        facets = quality.numslices, quality.numstacks
        if height <= SMALL:
            os.environ.setdefault("LP_NUM_THREADS", "1")  # Mesa's threads cost more than they save
            quality.numslices, quality.numstacks = SLICES, STACKS
        self._model = model
        self._gl = _gl_context(width, height)
        self._option = mujoco.MjvOption()
        self._option.sitegroup[:] = 0
        self._option.flags[mujoco.mjtVisFlag.mjVIS_TENDON] = 0
        self._scene = mujoco.MjvScene(model, maxgeom=5000)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
        try:
            self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        except mujoco.FatalError as error:
            backend = os.environ.get("MUJOCO_GL") or "egl"
            raise NeoError(NO_GL.format(backend=backend, error=error)) from None
        finally:
            quality.numslices, quality.numstacks = facets  # other pictures of this model keep their own
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._rect = mujoco.MjrRect(0, 0, width, height)
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED

    def update(self, data: mujoco.MjData, camera: str, *others: str) -> None:
        """Take the geometry that ``camera`` or ``others`` can see from ``data``; look through ``camera``."""
        model, groups = self._model, self._model.geom_group.copy()
        seen = np.any([self._in_view(data, name) for name in (camera, *others)], axis=0)
        self._camera.fixedcamid = model.camera(camera).id
        model.geom_group[~seen] = UNSEEN
        mujoco.mjv_updateScene(
            model, data, self._option, None, self._camera, mujoco.mjtCatBit.mjCAT_ALL, self._scene
        )
        model.geom_group[:] = groups

    def _in_view(self, data: mujoco.MjData, camera: str) -> np.ndarray:
        """(ngeom,) bool: geoms whose bounding sphere reaches into the pyramid that ``camera`` sees."""
        model, i = self._model, self._model.camera(camera).id
        up = np.tan(0.5 * np.deg2rad(model.cam_fovy[i]))
        right = up * self._rect.width / self._rect.height
        sides = np.array([(1.0, 0.0, right), (-1.0, 0.0, right), (0.0, 1.0, up), (0.0, -1.0, up)])
        sides /= np.linalg.norm(sides, axis=1, keepdims=True)  # outward normals; the camera looks along -z
        outside = (data.geom_xpos - data.cam_xpos[i]) @ data.cam_xmat[i].reshape(3, 3) @ sides.T  # m
        endless = model.geom_rbound == 0.0  # planes
        return endless | (outside < model.geom_rbound[:, None]).all(axis=1)

    def look(self, data: mujoco.MjData, camera: str) -> None:
        """Look at the geometry of the last :meth:`update` through another camera that it named."""
        self._camera.fixedcamid = self._model.camera(camera).id
        mujoco.mjv_updateCamera(self._model, data, self._camera, self._scene)

    def rgb(self) -> np.ndarray:
        """(H, W, 3) uint8."""
        self._gl.make_current()
        image = np.empty((self._rect.height, self._rect.width, 3), np.uint8)
        mujoco.mjr_render(self._rect, self._scene, self._context)
        mujoco.mjr_readPixels(image, None, self._rect, self._context)
        return image[::-1]

    def rgb_and_depth(self) -> tuple[np.ndarray, np.ndarray]:
        """RGB and (H, W) float32 m along the camera's axis, from one pass; 0 where nothing is hit."""
        self._gl.make_current()
        shape = (self._rect.height, self._rect.width)
        image, z = np.empty((*shape, 3), np.uint8), np.empty(shape, np.float32)
        mujoco.mjr_render(self._rect, self._scene, self._context)
        mujoco.mjr_readPixels(image, z, self._rect, self._context)
        near = self._model.vis.map.znear * self._model.stat.extent
        far = self._model.vis.map.zfar * self._model.stat.extent
        depth = near / (1.0 - z.astype(np.float64) * (1.0 - near / far))
        depth[z >= 1.0] = 0.0
        return image[::-1], depth[::-1].astype(np.float32)

    def geoms(self) -> np.ndarray:
        """(H, W) int: the id of the geom seen at each pixel, -1 for none. Privileged: for scores only."""
        self._gl.make_current()
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = 1
        self._scene.flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = 1
        image = self.rgb().astype(np.int64)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = 0
        self._scene.flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = 0
        shown = image[..., 0] + (image[..., 1] << 8) + (image[..., 2] << 16)
        ids = np.full(self._scene.ngeom + 1, -1)
        for geom in self._scene.geoms[: self._scene.ngeom]:
            if geom.segid >= 0 and geom.objtype == mujoco.mjtObj.mjOBJ_GEOM:
                ids[geom.segid + 1] = geom.objid
        return ids[shown]

    def close(self) -> None:
        """Free the context; the renderer cannot be used afterwards."""
        if self._gl is not None:
            self._gl.make_current()
            self._context.free()
            self._gl.free()
            self._gl = None

    def __del__(self) -> None:
        # MjrContext frees its textures in whichever GL context is current: make that our own one.
        if getattr(self, "_context", None) is not None and not sys.is_finalizing():
            self.close()
