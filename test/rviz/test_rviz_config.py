"""rviz shows topics that exist, with the type and a QoS that their publishers offer."""

from pathlib import Path

import pytest
import yaml

from neo_ros import graph

FILE = Path(__file__).parents[2] / "rviz" / "neo.rviz"
# message type of each display of rviz_default_plugins (its documentation); None: no topic of its own choice
STANDARD = {
    "Grid": None,
    "TF": None,
    "RobotModel": "std_msgs/msg/String",
    "Odometry": "nav_msgs/msg/Odometry",
    "Image": "sensor_msgs/msg/Image",
    "PointCloud2": "sensor_msgs/msg/PointCloud2",
    "MarkerArray": "visualization_msgs/msg/MarkerArray",
    "Wrench": "geometry_msgs/msg/WrenchStamped",
}
WANTED = {
    "robot_description",
    "head_camera/left/image_raw",
    "head_camera/right/image_raw",
    "perception/depth",
    "perception/points",
    "perception/markers",
    "whole_body/targets",
    "l_hand/pads",
    "r_hand/pads",
    "odom",
}


def manager():
    return yaml.safe_load(FILE.read_text())["Visualization Manager"]


def displays(rows=None):
    for row in manager()["Displays"] if rows is None else rows:
        if row["Class"] == "rviz_common/Group":
            yield from displays(row["Displays"])
        else:
            yield row


def shown():
    """(display, its topic row) of every display that has a topic."""
    for display in displays():
        topic = display.get("Topic") or display.get("Description Topic")
        if topic is not None:
            yield display, topic


def test_every_display_is_one_that_a_plain_rviz_has():
    for display in displays():
        package, _, kind = display["Class"].partition("/")
        assert package == "rviz_default_plugins", display["Name"]
        assert kind in STANDARD, display["Name"]


@pytest.mark.parametrize(("display", "topic"), shown(), ids=lambda row: row.get("Name", ""))
def test_its_topic_is_in_the_graph_with_its_type_and_qos(display, topic):
    row = graph.entry("topics", topic["Value"].removeprefix("/"))
    assert row["type"] == STANDARD[display["Class"].partition("/")[2]]
    if row["qos"] in ("control", "camera"):
        assert topic["Reliability Policy"] == "Best Effort"
    latched = topic["Durability Policy"] == "Transient Local"
    assert latched == (row["qos"] == "latched")


def test_what_the_issue_asks_for_is_there():
    assert {topic["Value"].removeprefix("/") for _, topic in shown()} >= WANTED
    assert any(display["Class"].endswith("/TF") for display in displays())


def test_the_fixed_frame_is_the_one_that_the_estimate_starts_in():
    assert manager()["Global Options"]["Fixed Frame"] == "odom"
