"""A real S3 server in a process of its own."""

import pytest

from neo_bringup.flywheel_bench.s3 import server


@pytest.fixture(scope="session")
def s3_server():
    with server() as endpoint:
        yield endpoint


@pytest.fixture
def s3(s3_server, monkeypatch):
    """The server's endpoint; the environment holds its credentials."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    return s3_server
