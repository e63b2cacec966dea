"""Small recordings of made-up numbers, by the recorder's own writer: for measures and tests."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from neo_flywheel.bag import BagWriter, Qos
from neo_flywheel.message_types import TypeBook

TYPES = {
    "body/state": "neo_msgs/msg/BodyState",
    "l_hand/state": "neo_msgs/msg/HandState",
    "r_hand/state": "neo_msgs/msg/HandState",
    "safety/state": "neo_msgs/msg/SafetyState",
    "world_model/surprise": "neo_msgs/msg/Surprise",
    "recorder/notes": "diagnostic_msgs/msg/KeyValue",
}
EYES = ("head_camera/left/image_raw/compressed", "head_camera/right/image_raw/compressed")
TYPES |= dict.fromkeys(EYES, "sensor_msgs/msg/CompressedImage")
EVERY = {
    **dict.fromkeys(EYES, 50),
    "safety/state": 50,
    "world_model/surprise": 10,
    "recorder/notes": 100,
}  # states; others: each
BEGIN = 1_767_225_600 * 10**9  # ns since the epoch
STEP = 2_000_000  # ns


def book() -> TypeBook:
    """The definitions that are installed with the interpreter."""
    return TypeBook([Path(sys.prefix)])


def typestore() -> Typestore:
    """Knows ``TYPES``."""
    store = get_typestore(Stores.EMPTY)
    for name in dict.fromkeys(TYPES.values()):
        store.register(get_types_from_msg(book().find(name).definition, name))
    return store


def made(
    folder: Path,
    seed: int = 0,
    states: int = 100,
    custom: dict[str, str] | None = None,
    begin: int = BEGIN,
    cameras: bool = False,
) -> Path:
    """A recording of ``states`` ticks of 2 ms; its joints swing. ``folder`` must not be there.

    ``cameras``: a pair of grey pictures every 0.1 s, a little brighter each time.
    """
    rng, store = np.random.default_rng(seed), typestore()
    given = {"namespace": "/neo1", "task": "put the cup on the tray", "autonomy": "0.5"} | (custom or {})
    with BagWriter(folder, book(), given, flush_period=0.0 if states < 300 else 0.25) as bag:
        latched = {"safety/state"}
        topics = {
            name: bag.add_topic(f"/neo1/{name}", kind, Qos(latched=name in latched))
            for name, kind in TYPES.items()
        }
        for tick in range(states):
            at = begin + tick * STEP
            for name, kind in TYPES.items():
                if tick % EVERY.get(name, 1) == 0 and (cameras or name not in EYES):
                    bag.write(
                        topics[name], at, bytes(store.serialize_cdr(_message(store, name, tick, rng), kind))
                    )
    return folder


def _message(store: Typestore, name: str, tick: int, rng: np.random.Generator) -> Any:
    types = store.types
    if name == "recorder/notes":
        key, value = [("prompt", "pour the tea"), ("outcome", "done: poured")][(tick // 100) % 2]
        return types["diagnostic_msgs/msg/KeyValue"](key=key, value=value)
    stamp = types["builtin_interfaces/msg/Time"](sec=tick // 500, nanosec=tick % 500 * STEP)
    header = types["std_msgs/msg/Header"](stamp=stamp, frame_id="base_link")
    if name == "safety/state":
        state = min(2, tick // 100)
        return types["neo_msgs/msg/SafetyState"](
            header=header, state=state, reason="asked for", body_drive_mode=1, runstop=False
        )
    if name in EYES:
        grey = np.full((96, 128, 3), 40 + 2 * (tick // 50), np.uint8)
        data = np.frombuffer(cv2.imencode(".jpg", grey)[1].tobytes(), np.uint8)
        return types["sensor_msgs/msg/CompressedImage"](header=header, format="jpeg", data=data)
    if name == "world_model/surprise":
        return types["neo_msgs/msg/Surprise"](
            header=header, value=round(0.2 + 0.6 * float(rng.random()), 6), negative_log_likelihood=1.0,
            disagreement=0.1, modality=["touch"], modality_value=np.array([1.0]),
        )  # fmt: skip
    body = name == "body/state"
    joints, tendons = (31, 62) if body else (22, 44)
    swing = np.sin(2 * np.pi * tick / 250 + np.arange(joints)) * np.linspace(0.0, 0.5, joints)
    common = {
        "header": header, "tick": tick, "joint_position": swing, "joint_velocity": np.zeros(joints),
        "tendon_length": np.zeros(tendons), "tendon_velocity": np.zeros(tendons),
        "tendon_tension": 20.0 + rng.random(tendons), "drive_mode": 1, "runstop": False,
    }  # fmt: skip
    if not body:
        force = rng.random(57)
        return types["neo_msgs/msg/HandState"](**common, taxel_force=force, taxel_valid=np.ones(19, np.uint8))
    threes = ("pelvis_angular_velocity", "pelvis_linear_acceleration", "head_angular_velocity",
              "head_linear_acceleration")  # fmt: skip
    sixes = [f"{side}_{what}_wrench" for what in ("sole", "wrist") for side in "lr"]
    return types["neo_msgs/msg/BodyState"](
        **common, **{n: np.zeros(3) for n in threes}, **{n: rng.random(6) for n in sixes}
    )
