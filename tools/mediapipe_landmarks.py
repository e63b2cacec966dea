"""A landmark provider: the hands in a film, by MediaPipe.

It runs in an environment of its own: docs/how-to/human-video.md.

    python tools/mediapipe_landmarks.py FILM TRACK [--fov DEGREES] [--mirrored]

MediaPipe gives each hand's landmarks twice: in the picture, and in metres about the hand's own middle. Where
the hand is before the camera follows from both (perspective-n-point), so the track's frame is the camera:
z ahead, x right, y down. Sizes and distances are MediaPipe's guess, and the field of view is the caller's.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import cv2
import mediapipe
import numpy as np

SIDES = {"Left": "l", "Right": "r"}
OTHER = {"l": "r", "r": "l"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("film", type=Path)
    parser.add_argument("track", type=Path)
    parser.add_argument(
        "--fov", type=float, default=60.0, help="horizontal field of view, degrees; default 60"
    )
    parser.add_argument(
        "--mirrored", action="store_true", help="the film shows a mirror image, as selfies do"
    )
    args = parser.parse_args()
    film = cv2.VideoCapture(str(args.film))
    if not film.isOpened():
        raise SystemExit(f"cannot read {args.film}")
    fps = film.get(cv2.CAP_PROP_FPS) or 30.0
    count = seen = 0
    hands = mediapipe.solutions.hands.Hands(max_num_hands=2)
    with args.track.open("w") as out, hands:
        about = {"provider": f"mediapipe {mediapipe.__version__}", "film": args.film.name, "fov": args.fov}
        out.write(json.dumps({"landmarks": 1, "about": about}) + "\n")
        while True:
            there, picture = film.read()
            if not there:
                break
            row = {"time": count / fps, **_hands(hands, picture, args.fov, args.mirrored)}
            out.write(json.dumps(row) + "\n")
            count, seen = count + 1, seen + ("l" in row or "r" in row)
    print(f"{args.track}: {count} pictures, hands in {seen}")


def _hands(hands, picture: np.ndarray, fov: float, mirrored: bool) -> dict:
    """Side → points (21 × 3 m, in the camera) and confidence, of what a picture (H, W, 3) BGR shows."""
    height, width = picture.shape[:2]
    found = hands.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
    focal = width / 2 / math.tan(math.radians(fov) / 2)
    K = np.array([[focal, 0.0, width / 2], [0.0, focal, height / 2], [0.0, 0.0, 1.0]])
    rows: dict = {}
    for flat, solid, sort in zip(
        found.multi_hand_landmarks or [],
        found.multi_hand_world_landmarks or [],
        found.multi_handedness or [],
        strict=True,
    ):
        said = sort.classification[0]
        side = (
            SIDES[said.label] if mirrored else OTHER[SIDES[said.label]]
        )  # MediaPipe takes films for mirrored
        pixels = np.array([[p.x * width, p.y * height] for p in flat.landmark])
        metres = np.array([[p.x, p.y, p.z] for p in solid.landmark])
        ok, turn, place = cv2.solvePnP(metres, pixels, K, None, flags=cv2.SOLVEPNP_SQPNP)
        if not ok or (side in rows and rows[side]["confidence"] >= said.score):
            continue
        points = metres @ cv2.Rodrigues(turn)[0].T + place.ravel()
        rows[side] = {"points": points.round(5).tolist(), "confidence": min(float(said.score), 1.0)}
    return rows


if __name__ == "__main__":
    main()
