"""Node ``tactile``: pad forces as arrows for people, and dead pads in the diagnostics."""

from __future__ import annotations

from functools import partial

from geometry_msgs.msg import Point
from neo_msgs.msg import HandState
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from neo_description.tables import CONTROL_RATE, SIDES
from neo_ros import convert, graph
from neo_ros.diagnostics import Diagnostics
from neo_ros.main import run
from neo_ros.managed import ManagedNode
from neo_ros.raw_stamp import decoded, raw_tick
from neo_sensors import camera, tactile

SHAFT, HEAD = 0.003, 0.006  # m: widths of an arrow


class TactileNode(ManagedNode):
    """From hand states to ``l_hand/pads`` and ``r_hand/pads``."""

    def __init__(self) -> None:
        super().__init__("tactile", camera.PARAMETERS)

    def configure(self) -> None:
        p = self._params
        self._diagnostics = Diagnostics(self)
        self._period = max(1, round(CONTROL_RATE / p.pads_rate))
        self._pads = {side: graph.publisher(self, f"{side}_hand/pads") for side in SIDES}
        self._last = dict.fromkeys(SIDES, -1)
        for side in SIDES:
            topic = f"{side}_hand/state"
            on_hand = self._diagnostics.guarded(topic, partial(self._on_hand, side))
            graph.subscription(self, topic, on_hand, raw=True)

    def _on_hand(self, side: str, raw: bytes) -> None:
        tick = raw_tick(raw)
        if tick % self._period or tick == self._last[side]:
            return
        self._last[side] = tick
        message = decoded(raw, HandState)
        state = convert.hand_state(message)
        silent = tactile.dead(state)
        self._diagnostics.set(f"{side}_hand dead pads", ", ".join(silent) or "-")
        if silent:
            self._diagnostics.warn(f"{side}_hand: {len(silent)} dead pads: {', '.join(silent)}")
        if self._pads[side].get_subscription_count() == 0:
            return
        tips = tactile.arrows(state, self._params.newton_length)
        markers = []
        for k, (frame_id, tip) in enumerate(zip(tactile.pad_frames(side), tips.tolist(), strict=True)):
            force = float((state.taxel_force[k] ** 2).sum() ** 0.5)
            shown = force >= self._params.shown_force and bool(state.taxel_valid[k])
            marker = Marker(ns=f"{side}_pads", id=k, type=Marker.ARROW)
            marker.action = Marker.ADD if shown else Marker.DELETE
            marker.header.stamp, marker.header.frame_id = message.header.stamp, frame_id
            if shown:
                marker.points = [Point(), Point(x=tip[0], y=tip[1], z=tip[2])]
                marker.scale.x, marker.scale.y = SHAFT, HEAD
                red, green, blue = tactile.color(force)
                marker.color = ColorRGBA(r=red, g=green, b=blue, a=1.0)
            markers.append(marker)
        self._pads[side].publish(MarkerArray(markers=markers))


def main() -> None:
    """Entry point of ``tactile_node``."""
    run(TactileNode)


if __name__ == "__main__":
    main()
