"""What every room's tests may use."""

import pytest

from neo_bringup.instance import claim_free_domain


@pytest.fixture
def ros_domain(monkeypatch):
    """A ROS domain that nobody else on this machine uses, for this process and its children."""
    number, claim = claim_free_domain(first=40)
    monkeypatch.setenv("ROS_DOMAIN_ID", str(number))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    yield number
    claim.close()
