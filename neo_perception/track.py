"""Things over time: which detection is which thing, where it is, and that hidden things are still there.

Positions are filtered in a fixed frame (``odom``; ``base_link`` while the base's pose is unknown) with a
Kalman filter whose noise rises when a thing moves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np

from neo_perception.detect import Detection
from neo_perception.models import Model

GATE = 16.0  # squared Mahalanobis distance beyond which a detection is another thing's, or the thing moves
NEAR = 0.12  # m: a thing that jumped further than this is a new one
CONFIRMED = 2  # detections before a thing is reported
FORGET_CLASS = 0.95  # of the class's evidence kept a detection


@dataclass(slots=True)
class Track:
    """A thing: ``center`` (3,) m with ``covariance`` (3, 3), ``yaw`` rad, ``size`` (3,) m."""

    id: int
    color: str
    model: Model
    center: np.ndarray
    covariance: np.ndarray
    yaw: float
    size: np.ndarray
    last_seen: float
    yaw_variance: float = 0.3
    hits: int = 1
    misses: int = 0
    visible_fraction: float = 0.0
    moving: float = 0.0
    size_weight: float = 0.0
    evidence: dict[str, float] = field(default_factory=dict)
    models: dict[str, Model] = field(default_factory=dict)

    @property
    def confirmed(self) -> bool:
        return self.hits >= CONFIRMED

    @property
    def confidence(self) -> float:
        """How sure class and presence are, 0..1: from the evidence against the next class, and misses."""
        costs = sorted(self.evidence.values())
        clear = 1.0 if len(costs) < 2 else 1.0 - np.exp(-(costs[1] - costs[0]) / max(costs[0], 0.2))
        return float(np.clip(clear * 0.8**self.misses * (1.0 - 0.5**self.hits), 0.0, 1.0))


class Tracker:
    """Keeps :class:`Track`; ``params``: ``parameters.yaml``."""

    def __init__(self, params: SimpleNamespace) -> None:
        self._params = params
        self.tracks: list[Track] = []
        self._next_id = 1
        self._time: float | None = None

    def predict(self, time: float) -> None:
        """Let uncertainty grow up to ``time`` (s); going back in time starts anew."""
        if self._time is not None and time < self._time:
            self.tracks.clear()
        dt = 0.0 if self._time is None else max(0.0, time - self._time)
        self._time = time
        for track in self.tracks:
            speed = self._params.motion * track.moving
            track.covariance = track.covariance + np.eye(3) * (self._params.drift**2 * dt + (speed * dt) ** 2)
            track.visible_fraction = 0.0

    def update(self, found: list[Detection], T_fixed_level: np.ndarray) -> list[Track]:
        """Take detections in; returns the tracks that were not seen. ``T_fixed_level`` (4, 4)."""
        R = T_fixed_level[:3, :3]
        turn = float(np.arctan2(R[1, 0], R[0, 0]))
        places = [
            (R @ one.fit.center + T_fixed_level[:3, 3], self._noise(R @ one.fit.covariance @ R.T))
            for one in found
        ]
        pairs = []
        for i, one in enumerate(found):
            for track in self.tracks:
                cost = self._distance(one, *places[i], track)
                if cost is not None:
                    pairs.append((cost, i, track))
        taken: set[int] = set()
        seen: set[int] = set()
        for _, i, track in sorted(pairs, key=lambda pair: pair[0]):
            if i in taken or track.id in seen:
                continue
            taken.add(i)
            seen.add(track.id)
            self._take(track, found[i], *places[i], turn)
        for i, one in enumerate(found):
            if i not in taken and one.visible_fraction > 0.25:
                seen.add(self._add(one, *places[i], turn).id)
        return [track for track in self.tracks if track.id not in seen]

    def missed(self, track: Track, should_be_seen: bool) -> None:
        """``track`` was not seen; where it should have been, it is given up after ``miss_limit`` times."""
        assert self._time is not None
        if should_be_seen:
            track.misses += 1
        gone = track.misses > (self._params.miss_limit if track.confirmed else 1)
        if gone or self._time - track.last_seen > self._params.forget_after:
            self.tracks.remove(track)

    def _noise(self, covariance: np.ndarray) -> np.ndarray:
        return covariance + np.eye(3) * self._params.position_noise**2

    def _distance(self, one: Detection, center: np.ndarray, noise: np.ndarray, track: Track) -> float | None:
        if one.color != track.color:
            return None
        off = center - track.center
        mahalanobis = float(off @ np.linalg.solve(track.covariance + noise, off))
        if mahalanobis > GATE and np.linalg.norm(off) > NEAR:
            return None
        return mahalanobis - (5.0 if one.hint == track.id else 0.0)

    def _take(self, track: Track, one: Detection, center: np.ndarray, noise: np.ndarray, turn: float) -> None:
        off = center - track.center
        S = track.covariance + noise
        surprise = float(off @ np.linalg.solve(S, off))
        if surprise > GATE and one.visible_fraction > 0.3:  # it was moved: believe what is seen now
            track.moving = 1.0
            track.covariance = track.covariance + np.eye(3) * float(off @ off)
            S = track.covariance + noise
        else:
            track.moving *= 0.7
        gain = track.covariance @ np.linalg.inv(S)
        track.center = track.center + gain @ off
        track.covariance = (np.eye(3) - gain) @ track.covariance
        track.covariance = (track.covariance + track.covariance.T) / 2
        assert self._time is not None
        track.last_seen, track.visible_fraction = self._time, one.visible_fraction
        track.hits, track.misses = track.hits + 1, 0
        for name, cost in one.scores.items():
            old = track.evidence.get(name, cost)
            track.evidence[name] = FORGET_CLASS * old + (1 - FORGET_CLASS) * cost
        track.models[one.model.class_name] = one.model
        likely = min(track.models, key=lambda name: track.evidence[name])
        if likely != track.model.class_name:
            track.model = track.models[likely]
        if one.model.class_name == track.model.class_name:
            self._shape(track, one, turn)

    def _shape(self, track: Track, one: Detection, turn: float) -> None:
        weight = one.visible_fraction
        track.size_weight = min(track.size_weight + weight, 10.0)
        track.size = track.size + weight / max(track.size_weight, 1e-6) * (one.fit.size - track.size)
        if one.model.shape == "box":
            period = np.pi / 2 if abs(one.model.size[0] - one.model.size[1]) < 0.01 else np.pi
            off = (one.fit.yaw + turn - track.yaw + period / 2) % period - period / 2
            noise = 0.08**2
            gain = track.yaw_variance / (track.yaw_variance + noise)
            track.yaw += gain * off
            track.yaw_variance = (1 - gain) * track.yaw_variance + 1e-4

    def _add(self, one: Detection, center: np.ndarray, noise: np.ndarray, turn: float) -> Track:
        assert self._time is not None
        track = Track(
            self._next_id, one.color, one.model, center, noise, one.fit.yaw + turn, one.fit.size,
            self._time, visible_fraction=one.visible_fraction, size_weight=one.visible_fraction,
            evidence=dict(one.scores), models={one.model.class_name: one.model},
        )  # fmt: skip
        self._next_id += 1
        self.tracks.append(track)
        return track
