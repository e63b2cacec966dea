"""Real S3 servers, each in processes of its own: moto, and OpenStack Swift where it is installed."""

import pytest

from neo_bringup.flywheel_bench import s3 as s3_moto
from neo_bringup.flywheel_bench import swift as s3_swift


@pytest.fixture(scope="session")
def moto():
    """The endpoint."""
    with s3_moto.server() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def swift():
    """The endpoint."""
    if not s3_swift.there():
        pytest.skip("OpenStack Swift is not installed: apt install swift-{proxy,account,container,object}")
    with s3_swift.server() as endpoint:
        yield endpoint


@pytest.fixture(params=["moto", "swift"])
def s3(request, monkeypatch):
    """A server's endpoint; the environment holds its credentials."""
    for name, value in s3_moto.CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return request.getfixturevalue(request.param)
