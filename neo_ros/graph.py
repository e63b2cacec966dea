"""Publishers, subscriptions, services and actions by name: type and QoS come from ``graph.yaml``.

self._state = graph.publisher(self, "body/state")
graph.subscription(self, "body/tendon_command", self._on_command)

Reliability and depth can be set anew by what ROS calls QoS overrides, for example by the parameter
``qos_overrides./body/state.publisher.reliability``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any

from rclpy.action import ActionClient, ActionServer
from rclpy.client import Client
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSPolicyKind, QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.service import Service
from rclpy.service_introspection import ServiceIntrospectionState
from rclpy.subscription import Subscription

from neo_description.graph import GRAPH_YAML as GRAPH_YAML
from neo_description.graph import entry as entry
from neo_description.graph import table as table
from neo_ros import qos
from neo_ros.one_publisher import OnePublisher, with_publisher
from neo_ros.spoken_actions import SpokenActionServer

EVENTS = QoSProfile(depth=10)  # of the introspection of actions
OVERRIDABLE = QoSOverridingOptions([QoSPolicyKind.RELIABILITY, QoSPolicyKind.DEPTH])


@cache
def interface(name: str) -> Any:
    """The class of an interface: ``neo_msgs/msg/BodyState`` → ``neo_msgs.msg.BodyState``."""
    package, kind, type_name = name.split("/")
    return getattr(importlib.import_module(f"{package}.{kind}"), type_name)


def action_type(name: str) -> Any:
    """The class of the action ``name``: the row's ``standard`` where that is installed, else its ``type``."""
    row = entry("actions", name)
    try:
        return interface(row["standard"])
    except (KeyError, ModuleNotFoundError):
        return interface(row["type"])


def publisher(node: Node, topic: str) -> Publisher:
    """A publisher of ``topic`` with the type and QoS of ``graph.yaml``."""
    row = entry("topics", topic)
    return node.create_publisher(
        interface(row["type"]), topic, qos.PUBLISH[row["qos"]], qos_overriding_options=OVERRIDABLE
    )


def subscription(node: Node, topic: str, callback: Callable[..., None], raw: bool = False) -> Subscription:
    """A subscription of ``topic``; ``raw`` hands the callback the serialised bytes. Cameras: best effort."""
    row = entry("topics", topic)
    return node.create_subscription(
        interface(row["type"]), topic, callback, qos.SUBSCRIBE[row["qos"]], raw=raw,
        qos_overriding_options=OVERRIDABLE,
    )  # fmt: skip


def command_subscription(
    node: Node, topic: str, callback: Callable[[Any], None], refused: Callable[[str, str], None]
) -> Subscription:
    """A subscription of ``topic`` that one publisher at a time may use; ``refused``: that of Diagnostics."""
    one = OnePublisher(node, topic)

    def call(message: Any, publisher: bytes) -> None:
        reason = one.refusal(publisher)
        if reason is None:
            callback(message)
        else:
            refused(topic, reason)

    return subscription(node, topic, with_publisher(call))


def service(node: Node, name: str, callback: Callable[[Any, Any], Any]) -> Service:
    """A server of the service ``name``."""
    return node.create_service(interface(entry("services", name)["type"]), name, callback)


def service_client(node: Node, name: str) -> Client:
    """A client of the service ``name``."""
    return node.create_client(interface(entry("services", name)["type"]), name)


def action_server(node: Node, name: str, execute: Callable[[Any], Any], **callbacks: Any) -> ActionServer:
    """A server of the action ``name``; ``callbacks`` as in :class:`rclpy.action.ActionServer`.

    Its goals and results are topics, too (``NAME/_action/send_goal/_service_event``): for the recorder.
    """
    if hasattr(node, "gated_goals"):
        callbacks["goal_callback"] = node.gated_goals(callbacks.get("goal_callback"))
    kind = action_type(name)
    if not hasattr(ActionServer, "configure_introspection"):  # ROS 2 Jazzy
        return SpokenActionServer(node, kind, name, execute, events=EVENTS, **callbacks)
    server = ActionServer(node, kind, name, execute, **callbacks)
    server.configure_introspection(node.get_clock(), EVENTS, ServiceIntrospectionState.CONTENTS)
    return server


def action_client(node: Node, name: str) -> ActionClient:
    """A client of the action ``name``."""
    return ActionClient(node, action_type(name), name)


def end_goal(goal: Any, success: bool, reason: str) -> None:
    """Gives an action's goal its final state: succeeded, cancelled (reason ``cancelled``) or aborted."""
    if success:
        goal.succeed()
    elif reason == "cancelled":
        goal.canceled()
    else:
        goal.abort()
