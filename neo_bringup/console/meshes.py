"""Triangle meshes of a MuJoCo model's visible geoms, one set a link, as plain arrays.

Everything round is a surface of revolution: a profile of (radius, height) points turned about z. Where
the surface has an edge the profile repeats a point, so that shading stays crisp there and smooth elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import mujoco
import numpy as np

VISIBLE_GROUPS = 3  # geom groups 0, 1, 2 are drawn; MuJoCo's own viewer does the same
SEGMENTS = 20  # around
ARC = 6  # steps in a quarter circle


@dataclass(frozen=True)
class Mesh:
    """``vertices`` (n, 3) m, ``faces`` (k, 3) counter-clockwise seen from outside."""

    vertices: np.ndarray
    faces: np.ndarray

    def moved(self, rotation: np.ndarray, position: np.ndarray) -> Mesh:
        """The mesh in the frame where its own frame has this pose: (3, 3), (3,) m."""
        return Mesh(self.vertices @ rotation.T + position, self.faces)

    def volume(self) -> float:
        """Enclosed volume (m^3) by the divergence theorem; negative when the faces look inwards."""
        a, b, c = (self.vertices[self.faces[:, i]] for i in range(3))
        return float(np.sum(a * np.cross(b, c)) / 6.0)


@dataclass
class Link:
    """One body: its place in the tree and its meshes in its own frame, by colour."""

    body: int
    parent: int
    name: str
    parts: dict[tuple[int, int, int, int], Mesh] = field(default_factory=dict)


def join(meshes: list[Mesh]) -> Mesh:
    """All ``meshes`` as one."""
    offsets = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes[:-1]])
    faces = [mesh.faces + offset for mesh, offset in zip(meshes, offsets, strict=True)]
    return Mesh(np.concatenate([mesh.vertices for mesh in meshes]), np.concatenate(faces))


def revolve(profile: np.ndarray, segments: int = SEGMENTS) -> Mesh:
    """Turn ``profile`` (k, 2): radius, z in m, from bottom to top, about z."""
    angle = np.linspace(0.0, 2.0 * np.pi, segments, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    rings = profile[:, None, :1] * circle[None]
    heights = np.broadcast_to(profile[:, None, 1:], (len(profile), segments, 1))
    vertices = np.concatenate([rings, heights], axis=2).reshape(-1, 3)
    here = np.arange(segments)
    beside = (here + 1) % segments
    faces = []
    for ring in range(len(profile) - 1):
        if np.allclose(profile[ring], profile[ring + 1]):
            continue
        low, high = ring * segments, (ring + 1) * segments
        if profile[ring, 0] > 0.0:
            faces.append(np.stack([low + here, low + beside, high + here], axis=1))
        if profile[ring + 1, 0] > 0.0:
            faces.append(np.stack([low + beside, high + beside, high + here], axis=1))
    return Mesh(vertices, np.concatenate(faces))


def ellipsoid(radii: np.ndarray) -> Mesh:
    """``radii`` (3,) m."""
    angle = np.linspace(-np.pi / 2.0, np.pi / 2.0, 2 * ARC + 1)
    profile = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    profile[[0, -1], 0] = 0.0
    ball = revolve(profile)
    return Mesh(ball.vertices * np.asarray(radii), ball.faces)


def capsule(radius: float, half_length: float) -> Mesh:
    """Along z; ``half_length`` (m) is that of the cylinder part."""
    angle = np.linspace(0.0, np.pi / 2.0, ARC + 1)
    cap = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    cap[-1, 0] = 0.0
    top = cap + np.array([0.0, half_length])
    bottom = (cap * [1.0, -1.0] - [0.0, half_length])[::-1]
    return revolve(np.concatenate([bottom, top]))


def cylinder(radius: float, half_length: float) -> Mesh:
    """Along z, with flat ends."""
    r, h = radius, half_length
    return revolve(np.array([[0, -h], [r, -h], [r, -h], [r, h], [r, h], [0, h]], float))


def box(half_sizes: np.ndarray) -> Mesh:
    """``half_sizes`` (3,) m; each side has corners of its own, so edges stay crisp."""
    corners, faces = [], []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        for sign in (-1.0, 1.0):
            for du, dv in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
                corner = np.zeros(3)
                corner[axis], corner[u], corner[v] = sign, du, dv
                corners.append(corner)
            a = len(corners) - 4
            quad = [[a, a + 1, a + 2], [a, a + 2, a + 3]]
            faces += quad if sign > 0 else [face[::-1] for face in quad]
    return Mesh(np.array(corners) * np.asarray(half_sizes), np.array(faces))


def geom_mesh(model: mujoco.MjModel, geom: int) -> Mesh | None:
    """The mesh of one geom in its own frame; ``None`` for planes and height fields."""
    kind, size = model.geom_type[geom], model.geom_size[geom]
    if kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
        return capsule(size[0], size[1])
    if kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
        return cylinder(size[0], size[1])
    if kind == mujoco.mjtGeom.mjGEOM_SPHERE:
        return ellipsoid(np.repeat(size[0], 3))
    if kind == mujoco.mjtGeom.mjGEOM_ELLIPSOID:
        return ellipsoid(size)
    if kind == mujoco.mjtGeom.mjGEOM_BOX:
        return box(size)
    if kind == mujoco.mjtGeom.mjGEOM_MESH:
        mesh = model.geom_dataid[geom]
        first, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
        face, faces = model.mesh_faceadr[mesh], model.mesh_facenum[mesh]
        return Mesh(
            model.mesh_vert[first : first + count].copy(), model.mesh_face[face : face + faces].copy()
        )
    return None


def colour(model: mujoco.MjModel, geom: int) -> tuple[int, int, int, int]:
    """What one sees of a geom on average: its own colour or its material's, times the mean of its texture."""
    material = int(model.geom_matid[geom])
    if material < 0:
        rgba = np.array(model.geom_rgba[geom], float)
    else:
        rgba = np.array(model.mat_rgba[material], float)
        texture = int(model.mat_texid[material, int(mujoco.mjtTextureRole.mjTEXROLE_RGB)])
        if texture >= 0:
            channels = int(model.tex_nchannel[texture])
            count = int(model.tex_height[texture] * model.tex_width[texture]) * channels
            first = int(model.tex_adr[texture])
            pixels = np.asarray(model.tex_data[first : first + count]).reshape(-1, channels)
            rgba[:3] *= pixels[:, :3].mean(axis=0) / 255.0
    r, g, b, a = (round(255 * float(channel)) for channel in np.clip(rgba, 0.0, 1.0))
    return r, g, b, a


def links(model: mujoco.MjModel, solid: bool = False) -> list[Link]:
    """All bodies of ``model``, parents first, with what is visible of them; the world is body 0.

    ``solid``: only what can be touched, so a table without the walls that are mere backdrop.
    """
    pieces: list[dict[tuple[int, int, int, int], list[Mesh]]] = [{} for _ in range(model.nbody)]
    for geom in range(model.ngeom):
        mesh, seen = geom_mesh(model, geom), colour(model, geom)
        if mesh is None or seen[3] == 0 or model.geom_group[geom] >= VISIBLE_GROUPS:
            continue
        if solid and not (model.geom_contype[geom] or model.geom_conaffinity[geom]):
            continue
        rotation = np.zeros(9)
        mujoco.mju_quat2Mat(rotation, model.geom_quat[geom])
        placed = mesh.moved(rotation.reshape(3, 3), model.geom_pos[geom])
        pieces[model.geom_bodyid[geom]].setdefault(seen, []).append(placed)
    return [
        Link(
            body=body,
            parent=int(model.body_parentid[body]),
            name=model.body(body).name,
            parts={seen: join(found) for seen, found in pieces[body].items()},
        )
        for body in range(model.nbody)
    ]
