"""A process that publishes the whole graph's traffic on DDS, at 500 Hz: ``python -m … SEED SECONDS PID``.

Prints, as JSON, what it sent by topic, and the CPU time that the process PID took meanwhile.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import cv2
import psutil
import rclpy
from rclpy.node import Node
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CompressedImage

from neo_bringup.flywheel_bench import stream
from neo_ros import executor, graph

CAMERAS = tuple(f"head_camera/{eye}/image_raw/compressed" for eye in ("left", "right"))
CAMERA_RATE = 30  # Hz
WARM = 250  # ticks before the clock of CPU time starts
PATIENCE = 30.0  # s to wait for the listener, and for it to have heard all


def main(seed: int, seconds: int, pid: int) -> dict[str, Any]:
    """Publishes; what was sent and measured."""
    rclpy.init()
    node = Node("generator", start_parameter_services=False)
    spinning = executor.make(node)
    publishers = {name: graph.publisher(node, name) for name in (*stream.TOPICS, *CAMERAS)}
    deadline = time.monotonic() + PATIENCE
    while not all(p.get_subscription_count() for p in publishers.values()):
        if time.monotonic() > deadline:
            raise TimeoutError("no recorder listens")
        _turn(spinning, 0.05)
    bodies = {name: _messages(kind, seed) for name, (kind, _) in stream.TOPICS.items()}
    pictures = [_jpeg(seed, tick) for tick in range(0, 1000, 50)]
    sent = dict.fromkeys(publishers, 0)
    ticks, shown = seconds * stream.RATE + WARM, 0
    process = psutil.Process(pid)
    cpu, begun = 0.0, time.monotonic()
    for tick in range(ticks):
        if tick == WARM:
            cpu, begun = _cpu(process), time.monotonic()
        for name, (_, rate) in stream.TOPICS.items():
            if tick % (stream.RATE // rate) == 0:
                publishers[name].publish(bodies[name][tick % len(bodies[name])])
                sent[name] += 1
        if tick * CAMERA_RATE // stream.RATE != (tick - 1) * CAMERA_RATE // stream.RATE:
            for name in CAMERAS:
                publishers[name].publish(pictures[shown % len(pictures)])
                sent[name] += 1
            shown += 1
        ahead = begun + (tick + 1 - (WARM if tick >= WARM else 0)) / stream.RATE - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
    wall = time.monotonic() - begun
    _settled(process)
    result = {"sent": sent, "cpu_s": _cpu(process) - cpu, "ticks": ticks - WARM, "wall_s": wall}
    node.destroy_node()
    rclpy.shutdown()
    return result


def _messages(kind: str, seed: int) -> list[Any]:
    """Serialised messages of a type; the numbers in them jitter."""
    made = graph.interface(kind)()
    if kind.endswith("TendonCommand"):
        made.tension = [1.0] * 62
    raw = serialize_message(made)
    rows = list(stream.Traffic(seed)._bodies[kind])
    out = []
    for row in rows:
        mixed = bytearray(raw)
        if kind.endswith(("State", "TendonCommand")) and "JointState" not in kind:
            mixed[-len(row) // 2 // 8 * 8 :] = row[-len(row) // 2 // 8 * 8 :]
        try:
            deserialize_message(bytes(mixed), graph.interface(kind))
            out.append(bytes(mixed))
        except Exception:  # a mix that is no message: the plain one is as long
            out.append(raw)
    return out


def _jpeg(seed: int, tick: int) -> bytes:
    message = CompressedImage(format="jpeg")
    message.data.frombytes(cv2.imencode(".jpg", stream.scene(tick, seed=seed))[1].tobytes())
    return serialize_message(message)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _settled(process: psutil.Process) -> None:
    """Until the recorder has nothing left to do: its CPU time stands still."""
    deadline, last = time.monotonic() + PATIENCE, -1.0
    while time.monotonic() < deadline:
        now = _cpu(process)
        if now - last < 0.02:
            return
        last = now
        time.sleep(0.5)


def _turn(spinning: Any, seconds: float) -> None:
    from rclpy.task import Future

    spinning.spin_until_future_complete(Future(), timeout_sec=seconds)


if __name__ == "__main__":
    print(json.dumps(main(*map(int, sys.argv[1:4]))))
