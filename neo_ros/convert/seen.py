"""What perception sees."""

from __future__ import annotations

import numpy as np
from neo_msgs import msg

from neo_description.signals import DetectedObject, Scene, Table
from neo_ros.convert.fields import seconds, stamp, stamped, to_time
from neo_ros.convert.geometry import pose, pose_message, vector_message, xyz


def detected_object(message: msg.DetectedObject) -> DetectedObject:
    """One object of ``perception/objects``; covariance (6, 6)."""
    return DetectedObject(
        id=message.id,
        class_name=message.class_name,
        color=message.color,
        T_base_object=pose(message.pose.pose, "object"),
        covariance=np.array(message.pose.covariance).reshape(6, 6),
        size=xyz(message.size),
        confidence=message.confidence,
        visible_fraction=message.visible_fraction,
        last_seen=seconds(message.last_seen),
    )


def detected_object_message(seen: DetectedObject) -> msg.DetectedObject:
    """The message of one object; a (3, 3) covariance fills the position's block."""
    message = msg.DetectedObject(
        id=int(seen.id),
        class_name=seen.class_name,
        color=seen.color,
        size=vector_message(seen.size),
        confidence=float(seen.confidence),
        visible_fraction=float(seen.visible_fraction),
        last_seen=to_time(seen.last_seen),
    )
    message.pose.pose = pose_message(seen.T_base_object)
    covariance = np.zeros((6, 6))
    rows, columns = np.shape(seen.covariance)
    covariance[:rows, :columns] = seen.covariance
    message.pose.covariance = covariance.ravel()
    return message


def scene(message: msg.ObjectArray) -> Scene:
    """The signal of a ``perception/objects`` message."""
    table = None
    if message.table_seen:
        table = Table(pose(message.table, "table"), xyz(message.table_size))
    return Scene(stamp(message), [detected_object(item) for item in message.objects], table)


def scene_message(seen: Scene) -> msg.ObjectArray:
    """The ``perception/objects`` message."""
    message = stamped(msg.ObjectArray(table_seen=seen.table is not None), seen.time)
    message.header.frame_id = "base_link"
    message.objects = [detected_object_message(item) for item in seen.objects]
    if seen.table is not None:
        message.table = pose_message(seen.table.T_base_table)
        message.table_size = vector_message(seen.table.size)
    return message
