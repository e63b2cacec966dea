"""Nobody on the network reaches the robot's topics unless it was opened to the network.

Pinned: a discovery range of LOCALHOST alone left every port bound to 0.0.0.0, and whoever sent to them was
heard.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from neo_ros import environment

RIG = Path(__file__).with_name("lockdown_rig.py")
NAMESPACES = ["unshare", "-rn", "ip", "link", "add", "robot0", "type", "veth", "peer", "name", "stranger0"]


@pytest.fixture
def two_machines(ros_domain, tmp_path):
    """Runs the rig with further variables of the environment; what it saw."""
    if not all(map(shutil.which, ("unshare", "nsenter", "ip"))) or subprocess.run(NAMESPACES).returncode:
        pytest.skip("no network namespaces here: needs util-linux, iproute2 and a kernel that allows them")

    def see(**variables):
        profiles = (environment.FAST_DDS_2, environment.FAST_DDS_3)
        plain = {name: value for name, value in os.environ.items() if name not in profiles}
        done = subprocess.run(
            ["unshare", "-rn", sys.executable, RIG, tmp_path / "stranger.xml"],
            env={**plain, **variables}, capture_output=True, text=True, timeout=150,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return see


def test_a_stranger_on_the_network_is_not_heard(two_machines):
    seen = two_machines()
    assert seen["heard"] == ["friend", "later_friend"]
    assert seen["turned_away"] >= 4  # the stranger did knock
    assert seen["sent_out"] == 0


def test_opened_to_the_network_it_hears_and_is_heard(two_machines):
    """What the other test would see if the robot were not locked down."""
    seen = two_machines(ROS_AUTOMATIC_DISCOVERY_RANGE="SUBNET")
    assert "stranger" in seen["heard"]
    assert seen["sent_out"] > 0
