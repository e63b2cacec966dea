"""The quality-of-service profiles named in ``neo_description/graph.yaml``."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy


def _profile(reliable: bool, depth: int, latched: bool = False) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        liveliness=LivelinessPolicy.AUTOMATIC,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


PUBLISH: dict[str, QoSProfile] = {
    "control": _profile(reliable=False, depth=1),
    "reliable": _profile(reliable=True, depth=10),
    "latched": _profile(reliable=True, depth=1, latched=True),
    "camera": _profile(reliable=True, depth=2),
}
SUBSCRIBE: dict[str, QoSProfile] = {**PUBLISH, "camera": _profile(reliable=False, depth=2)}
