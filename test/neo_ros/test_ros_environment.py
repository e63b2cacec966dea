"""The variables that make ROS 2 from wheels work, and what the user set before."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from neo_ros import environment

INSTALLED = 2 if environment.FAST_DDS_2 in environment.ros_environment({}) else 3  # 2 on Jazzy
LOOPBACK, NETWORK = (environment.profile(INSTALLED, outside, True) for outside in (False, True))
LOOPBACK_UDP, NETWORK_UDP = (environment.profile(INSTALLED, outside, False) for outside in (False, True))


def test_the_virtual_environment_is_an_ament_prefix_behind_what_is_sourced():
    assert environment.ros_environment({})["AMENT_PREFIX_PATH"] == sys.prefix
    sourced = environment.ros_environment({"AMENT_PREFIX_PATH": "/opt/ros/x"})
    assert sourced["AMENT_PREFIX_PATH"] == f"/opt/ros/x:{sys.prefix}"
    assert environment.ros_environment(sourced)["AMENT_PREFIX_PATH"] == sourced["AMENT_PREFIX_PATH"]


def test_what_the_user_set_stays():
    given = {"ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET", "FASTDDS_DEFAULT_PROFILES_FILE": "/my.xml"}
    made = {**given, **environment.ros_environment(given)}
    assert made["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "SUBNET"
    assert made["FASTDDS_DEFAULT_PROFILES_FILE"] == "/my.xml"
    assert "FASTRTPS_DEFAULT_PROFILES_FILE" not in made


def test_the_profile_goes_by_the_name_that_the_installed_fast_dds_reads(tmp_path, monkeypatch):
    """Pinned: Jazzy's reads FASTRTPS_… alone; the newer one warns of that name on every start."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    (tmp_path / "lib").mkdir()
    given = {"AMENT_PREFIX_PATH": str(tmp_path)}
    assert environment.FAST_DDS_2 not in environment.ros_environment(given)
    (tmp_path / "lib" / "libfastrtps.so").touch()
    made = environment.ros_environment(given)
    assert made[environment.FAST_DDS_2] == str(environment.profile(2, False, True))
    assert environment.FAST_DDS_3 not in made


def test_discovery_stays_on_this_machine_by_default():
    made = environment.ros_environment({})
    assert environment.discovery_range({}) == environment.discovery_range(made) == "LOCALHOST"
    assert not environment.reaches_out(made)
    assert environment.ros_environment(made) == made


def test_the_profile_alone_says_what_staying_here_is():
    """Pinned: to range LOCALHOST the middleware adds shared memory, whatever the profile says."""
    assert environment.ros_environment({})["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "SYSTEM_DEFAULT"
    mine = [{name: "/my.xml"} for name in (environment.FAST_DDS_2, environment.FAST_DDS_3)]
    for given in (*mine, {"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"}):
        assert environment.ros_environment(given)["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"


def test_an_environment_made_here_is_opened_by_who_says_so():
    ours = environment.ros_environment({})
    assert environment.reaches_out({"ROS_AUTOMATIC_DISCOVERY_RANGE": "SYSTEM_DEFAULT"})
    opened = {**ours, "ROS_STATIC_PEERS": "10.0.0.7"}
    made = environment.ros_environment(opened)
    assert environment.reaches_out(opened)
    assert made["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"  # or the peers would not be looked for


def test_the_ports_are_on_loopback_unless_another_machine_is_to_be_spoken_to():
    def profile(**given):
        made = environment.ros_environment(given)
        return made.get(environment.FAST_DDS_3) or made[environment.FAST_DDS_2]

    assert profile() == profile(ROS_AUTOMATIC_DISCOVERY_RANGE="OFF") == str(LOOPBACK)
    assert profile(ROS_AUTOMATIC_DISCOVERY_RANGE="SUBNET") == str(NETWORK)
    assert profile(ROS_STATIC_PEERS="10.0.0.7") == str(NETWORK)


def test_a_child_does_not_inherit_the_other_range_s_profile():
    ours = environment.ros_environment({})
    opened = environment.ros_environment({**ours, "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"})
    assert str(NETWORK) in (
        opened.get(environment.FAST_DDS_3),
        opened.get(environment.FAST_DDS_2),
    )


def test_who_handles_no_pictures_has_no_shared_memory():
    """A process that is killed there can hold others up."""

    def profile(**given):
        made = environment.ros_environment(given, pictures=False)
        return made.get(environment.FAST_DDS_3) or made[environment.FAST_DDS_2]

    assert profile() == str(LOOPBACK_UDP)
    assert profile(ROS_AUTOMATIC_DISCOVERY_RANGE="SUBNET") == str(NETWORK_UDP)
    inherited = environment.ros_environment({})
    assert profile(**inherited) == str(LOOPBACK_UDP)


ON_LOOPBACK = ("interfaceWhiteList", "maxInitialPeersRange", "builtin")


def test_profiles_differ_in_where_they_look_shared_memory_and_spelling_alone():
    def rest(profile):
        tree = ElementTree.parse(profile)
        for parent in list(tree.iter()):
            for child in list(parent):
                name = str(child.tag).partition("}")[2]
                told = child.findtext("{*}transport_id") if name == "transport_descriptor" else child.text
                if told == "neo_shm" or name in ON_LOOPBACK:
                    parent.remove(child)
        rows = [(row.tag, (row.text or "").strip()) for row in tree.iter() if isinstance(row.tag, str)]
        return [(tag.replace("heartbeatPeriod", "heartbeat_period"), text) for tag, text in rows]

    first, *others = map(rest, environment.PROFILES)
    assert all(other == first for other in others)
    assert len(others) == 7
    for profile in environment.PROFILES:
        text = profile.read_text()
        addresses = [row.text for row in ElementTree.parse(profile).findall(".//{*}address")]
        loopback = profile.name.startswith("loopback")
        assert addresses == (["127.0.0.1"] * 2 if loopback else [])
        assert all((f"<{name}>" in text) == loopback for name in ON_LOOPBACK)
        assert ("<type>SHM" in text) == ("udp" not in profile.name)
        assert ("heartbeatPeriod" in text) == (profile.parent.name == "fastdds_2")


SHARED = """
from neo_ros import environment; environment.prepare(pictures={pictures})
import os, rclpy
from neo_bringup import shared_memory
rclpy.init(); node = rclpy.create_node("one")
print(bool(shared_memory.used_by(os.getpid())))
"""


@pytest.mark.parametrize("pictures", [True, False])
def test_only_who_handles_images_talks_through_shared_memory(ros_domain, pictures):
    code = SHARED.format(pictures=pictures)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"{pictures}\n"), done.stderr


@pytest.mark.parametrize("profile", [LOOPBACK, NETWORK])
def test_the_profile_gives_images_room(profile):
    text = {element.tag.split("}")[1]: element.text for element in ElementTree.parse(profile).iter()}
    assert int(text["segment_size"]) >= 4 * int(text["maxMessageSize"]) > 640 * 480 * 3
    assert text["useBuiltinTransports"] == "false"


def test_another_python_does_not_inherit_our_libraries():
    ours = str(Path(sys.prefix) / "lib")
    base = {
        "_ROS_WHEELS_BOOTSTRAP_COMPLETE": "1",
        "LD_LIBRARY_PATH": f"{ours}:/opt/other/lib",
        "HOME": "/root",
    }
    assert environment.without_bootstrap(base) == {"LD_LIBRARY_PATH": "/opt/other/lib", "HOME": "/root"}


def test_a_bare_shell_can_start_a_node(ros_domain):
    """Nothing sourced: PATH, HOME and the domain are all there is."""
    bare = {"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/"), "ROS_DOMAIN_ID": str(ros_domain)}
    code = (
        "from neo_ros import environment; environment.prepare()\n"
        "import rclpy; rclpy.init(); from neo_msgs.msg import BodyState\n"
        "node = rclpy.create_node('bare'); node.create_publisher(BodyState, 'body/state', 1)\n"
        "print(node.get_name()); node.destroy_node(); rclpy.shutdown()"
    )
    done = subprocess.run([sys.executable, "-c", code], env=bare, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "bare\n"), done.stderr
