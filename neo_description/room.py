"""The room round the robot: floor, walls, soft light, a wooden table, an outside camera."""

from __future__ import annotations

import mujoco
import numpy as np

from neo_description.contact import WORLD

TEXTURE = 256  # pixels


def _texture(spec: mujoco.MjSpec, name: str, image: np.ndarray, repeat: tuple[float, float]) -> None:
    """A material ``name`` that shows ``image`` (h, w, 3) in 0..1, ``repeat`` times over each face."""
    texture = spec.add_texture(
        name=name,
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        width=image.shape[1],
        height=image.shape[0],
        nchannel=3,
    )
    texture.data = (np.clip(image, 0, 1) * 255).astype(np.uint8).tobytes()
    material = spec.add_material(name=name, texrepeat=repeat, specular=0.1, shininess=0.1)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name


def _noise(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Smooth noise (TEXTURE, TEXTURE) in -1..1 of about ``rows`` × ``columns`` cells, seamless."""
    grid = rng.uniform(-1, 1, (rows, columns))
    y = np.arange(TEXTURE) * rows / TEXTURE
    x = np.arange(TEXTURE) * columns / TEXTURE
    iy, ix = y.astype(int), x.astype(int)
    fy, fx = (y - iy)[:, None], (x - ix)[None, :]
    fy, fx = fy * fy * (3 - 2 * fy), fx * fx * (3 - 2 * fx)
    a, b = grid[iy % rows], grid[(iy + 1) % rows]
    left = a[:, ix % columns] * (1 - fy) + b[:, ix % columns] * fy
    right = a[:, (ix + 1) % columns] * (1 - fy) + b[:, (ix + 1) % columns] * fy
    return left * (1 - fx) + right * fx


def _shade(base: tuple[float, float, float], noise: np.ndarray) -> np.ndarray:
    return np.asarray(base) * (1.0 + noise)[:, :, None]


def wood(rng: np.random.Generator, base: tuple[float, float, float]) -> np.ndarray:
    """Grain along the rows: coarse streaks, fine fibres and specks: detail for stereo."""
    streaks = 0.07 * _noise(rng, 48, 4) + 0.06 * _noise(rng, 128, 8) + 0.05 * _noise(rng, 256, 32)
    return _shade(base, streaks + 0.04 * _noise(rng, 128, 128))


def plaster(rng: np.random.Generator, base: tuple[float, float, float], depth: float) -> np.ndarray:
    """Fine and coarse grains."""
    return _shade(base, depth * (_noise(rng, 128, 128) + _noise(rng, 32, 32) + 0.5 * _noise(rng, 6, 6)))


def add_room(spec: mujoco.MjSpec) -> None:
    """Floor at z = 0, walls, light and the camera ``outside``."""
    rng = np.random.default_rng(7)  # the room looks the same in every scene
    _texture(spec, "floor", wood(rng, (0.66, 0.56, 0.45)), (5.0, 5.0))
    _texture(spec, "wall", plaster(rng, (0.86, 0.84, 0.80), 0.025), (3.0, 2.0))
    world = spec.worldbody
    floor = world.add_geom(
        name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=(3.0, 3.0, 0.1), material="floor",
        contype=WORLD, conaffinity=WORLD, condim=3,
    )  # fmt: skip
    floor.friction = (1.0, 0.005, 0.0001)
    for name, position, size in (
        ("far", (2.2, 0.0, 1.3), (0.05, 3.0, 1.3)),
        ("near", (-2.6, 0.0, 1.3), (0.05, 3.0, 1.3)),
        ("left", (0.0, 2.6, 1.3), (3.0, 0.05, 1.3)),
        ("right", (0.0, -2.6, 1.3), (3.0, 0.05, 1.3)),
    ):
        world.add_geom(
            name=f"{name}_wall", type=mujoco.mjtGeom.mjGEOM_BOX, pos=position, size=size, material="wall",
            contype=0, conaffinity=0,
        )  # fmt: skip
    spec.add_texture(
        name="sky", type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
        width=8, height=48, rgb1=(0.86, 0.85, 0.82), rgb2=(0.86, 0.85, 0.82),
    )  # fmt: skip
    spec.visual.headlight.ambient = (0.50, 0.50, 0.49)
    spec.visual.headlight.diffuse = (0.22, 0.22, 0.22)
    spec.visual.headlight.specular = (0.0, 0.0, 0.0)
    for position, strength in (((-1.0, 1.5, 2.6), 0.38), ((0.5, -1.8, 2.6), 0.22)):
        light = world.add_light(pos=position, dir=-np.asarray(position) + (0.4, 0.0, 0.9))
        light.type = mujoco.mjtLightType.mjLIGHT_DIRECTIONAL
        light.castshadow = False
        light.diffuse, light.specular = (strength,) * 3, (0.05,) * 3
    add_camera(spec, "outside", np.array([1.40, -1.38, 1.50]), np.array([0.20, 0.0, 0.90]), 45.0)


def add_camera(spec: mujoco.MjSpec, name: str, eye: np.ndarray, target: np.ndarray, fovy: float) -> None:
    """A camera at ``eye`` (3,) m that looks at ``target`` (3,) m; ``fovy`` degrees, vertical."""
    back = (eye - target) / np.linalg.norm(eye - target)
    right = np.cross((0, 0, 1), back)
    right /= np.linalg.norm(right)
    R = np.column_stack([right, np.cross(back, right), back])
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, R.ravel())
    spec.worldbody.add_camera(name=name, pos=eye, quat=quat, fovy=fovy)


def add_table(spec: mujoco.MjSpec, height: float, front: float, depth: float, width: float) -> None:
    """A table with its top at ``height`` and its near edge at x = ``front`` (m)."""
    _texture(spec, "table", wood(np.random.default_rng(11), (0.74, 0.58, 0.40)), (2.0, 2.0))
    thick, leg = 0.04, 0.03
    world = spec.worldbody
    middle = front + depth / 2
    top = world.add_geom(
        name="table_top", type=mujoco.mjtGeom.mjGEOM_BOX, pos=(middle, 0.0, height - thick / 2),
        size=(depth / 2, width / 2, thick / 2), material="table", contype=WORLD, conaffinity=WORLD, condim=3,
    )  # fmt: skip
    top.friction = (0.8, 0.005, 0.0001)
    tall = (height - thick) / 2
    for i, (x, y) in enumerate(((-1, -1), (-1, 1), (1, -1), (1, 1))):
        world.add_geom(
            name=f"table_leg_{i}", type=mujoco.mjtGeom.mjGEOM_BOX, size=(leg, leg, tall),
            pos=(middle + x * (depth / 2 - 0.05), y * (width / 2 - 0.05), tall), material="table",
            contype=WORLD, conaffinity=WORLD, condim=3,
        )  # fmt: skip
