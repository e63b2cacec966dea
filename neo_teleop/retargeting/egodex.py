"""The hands in a file of EgoDex (Hoque et al. 2025) as a landmark track: ``N.hdf5``, 30 moments a second.

``transforms/NAME`` (T, 4, 4) says where a joint is in the world, with ARKit's names; ``transforms/camera``,
where the camera is (z ahead, x right, y down). The track's frame is the camera of each moment: the robot's
head does not turn with the person's. ``confidences/leftHand``, … (T,) count where they are there.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from neo_description.errors import NeoError
from neo_teleop.retargeting.landmark_track import LandmarkTrack, Moment
from neo_teleop.retargeting.landmarks import hand_21

SUFFIX = ".hdf5"
RATE = 30.0  # Hz
SIDES = {"l": "left", "r": "right"}
# in the order of landmarks.HAND_21, behind "left" or "right"
JOINTS = (
    "Hand", "ThumbKnuckle", "ThumbIntermediateBase", "ThumbIntermediateTip", "ThumbTip",
    *(
        f"{finger}Finger{joint}"
        for finger in ("Index", "Middle", "Ring", "Little")
        for joint in ("Knuckle", "IntermediateBase", "IntermediateTip", "Tip")
    ),
)  # fmt: skip


def load(file: Path) -> LandmarkTrack:
    """Its track; NeoError names what the file lacks."""
    try:
        with h5py.File(file) as data:
            T_camera_world = np.linalg.inv(_poses(data, file, "camera"))
            count = len(T_camera_world)
            hands, sure = {}, {}
            for side, word in SIDES.items():
                joints = [_poses(data, file, word + name) for name in JOINTS]
                if any(len(poses) != count for poses in joints):
                    raise NeoError(
                        f"{file}: poses of the {word} hand are not as many as the camera's, {count}"
                    )
                world = np.stack([poses[:, :, 3] for poses in joints], axis=1)  # (T, 21, 4)
                hands[side] = np.einsum("tij,tnj->tni", T_camera_world, world)[..., :3]
                said = data.get(f"confidences/{word}Hand")
                sure[side] = np.ones(count) if said is None else np.clip(said[:count], 0.0, 1.0)
    except (OSError, np.linalg.LinAlgError) as error:
        raise NeoError(f"cannot read {file}: {error}") from None
    moments = [
        Moment(
            k / RATE,
            {side: hand_21(points[k]) for side, points in hands.items() if np.isfinite(points[k]).all()},
            None,
            {side: float(values[k]) for side, values in sure.items()},
        )
        for k in range(count)
    ]
    return LandmarkTrack(moments, {"provider": "EgoDex"})


def _poses(data: h5py.File, file: Path, name: str) -> np.ndarray:
    """(T, 4, 4)."""
    found = data.get(f"transforms/{name}")
    if found is None:
        raise NeoError(f"{file} is not EgoDex's layout: no transforms/{name}")
    if found.ndim != 3 or found.shape[1:] != (4, 4):
        raise NeoError(f"{file}: transforms/{name} has shape {found.shape}; (T, 4, 4) needed")
    return np.asarray(found[()], float)
