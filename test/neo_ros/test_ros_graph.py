"""Topics, services and actions by their name in graph.yaml."""

import pytest
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSCompatibility, ReliabilityPolicy, qos_check_compatible
from rclpy.serialization import deserialize_message
from std_msgs.msg import String

from neo_description.errors import NeoError
from neo_ros import graph, qos


def names(kind):
    return sorted(graph.table()[kind])


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in ("topics", "services", "actions") for name in names(kind)]
)
def test_every_interface_of_the_graph_exists(kind, name):
    assert (
        graph.interface(graph.entry(kind, name)["type"]).__name__
        == graph.entry(kind, name)["type"].split("/")[2]
    )


def test_the_standard_type_of_an_action_is_taken_where_it_is_installed(monkeypatch):
    row = {"type": "neo_msgs/action/Reach", "standard": "neo_msgs/action/Grasp"}
    monkeypatch.setitem(graph.table()["actions"], "grasp_or_reach", row)
    assert graph.action_type("grasp_or_reach").__name__ == "Grasp"
    row["standard"] = "no_such_msgs/action/Grasp"
    assert graph.action_type("grasp_or_reach").__name__ == "Reach"


@pytest.mark.parametrize("name", sorted(qos.PUBLISH))
def test_our_publishers_and_subscribers_understand_each_other(name):
    compatible, why = qos_check_compatible(qos.PUBLISH[name], qos.SUBSCRIBE[name])
    assert compatible == QoSCompatibility.OK, why


def test_every_topic_names_a_known_profile():
    assert {row["qos"] for row in graph.table()["topics"].values()} <= set(qos.PUBLISH)


def test_cameras_publish_reliable_and_subscribe_best_effort(ros):
    node = Node("camera_user")
    publisher = graph.publisher(node, "head_camera/left/image_raw")
    subscription = graph.subscription(node, "head_camera/left/image_raw", lambda _: None)
    assert publisher.qos_profile.reliability == ReliabilityPolicy.RELIABLE
    assert subscription.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
    node.destroy_node()


def test_a_latched_topic_reaches_who_comes_late(ros, spinning):
    early, late = Node("early"), Node("late")
    graph.publisher(early, "robot_description").publish(String(data="<robot/>"))
    got = []
    subscription = graph.subscription(late, "robot_description", got.append)
    assert subscription.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
    spinning(early, late).until(lambda: got)
    assert got[0].data == "<robot/>"
    early.destroy_node(), late.destroy_node()


def test_raw_subscriptions_get_the_serialised_bytes(ros, spinning):
    node = Node("raw_user")
    got = []
    graph.publisher(node, "robot_description").publish(String(data="raw"))
    graph.subscription(node, "robot_description", got.append, raw=True)
    spinning(node).until(lambda: got)
    assert isinstance(got[0], bytes)
    assert deserialize_message(got[0], String).data == "raw"
    node.destroy_node()


def test_an_unknown_name_is_refused_with_the_known_ones(ros):
    node = Node("lost")
    with pytest.raises(NeoError, match=r"no 'body/sate' among the topics of graph\.yaml; one of body/state"):
        graph.publisher(node, "body/sate")
    node.destroy_node()


def test_a_service_answers_over_the_graph(ros, spinning):
    node = Node("served")

    def stop(request, response):
        response.success = request.data
        return response

    graph.service(node, "runstop", stop)
    client = graph.service_client(node, "runstop")
    spin = spinning(node)
    spin.until(client.service_is_ready)
    answer = client.call_async(client.srv_type.Request(data=True))
    spin.until(answer.done)
    assert answer.result().success
    node.destroy_node()
