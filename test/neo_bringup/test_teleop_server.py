"""The teleoperation page's server without ROS or browser: whom it lets in, what it answers."""

import json
import socket
import ssl
import urllib.error
import urllib.request
from datetime import UTC, datetime

import pytest
import websockets.exceptions
from websockets.sync.client import connect

from neo_bringup.console import access
from neo_bringup.console.gate import Gate
from neo_bringup.teleop_page.server import SITE, PageServer
from neo_description.errors import NeoError
from neo_teleop import consent
from neo_teleop.desk import Desk

PATIENCE = 20.0  # s


@pytest.fixture
def server():
    server = PageServer(Gate(), 0, Desk(), 0.3)
    yield server
    server.close()


def talk(server, **options):
    return connect(server.address.replace("http", "ws") + "/ws", open_timeout=PATIENCE, **options)


def test_a_connection_is_greeted_with_the_words_and_refused_with_reasons(server):
    with talk(server, origin=server.address) as page:
        hello = json.loads(page.recv(PATIENCE))
        assert hello["consent"] == {"id": consent.ID, "words": consent.WORDS}
        assert "medium_wrap" in hello["grasps"]
        refused = {"{": "not JSON", b"\x00": "not JSON", '{"kind": "begin", "agreed": "no"}': "agreed"}
        for text, why in refused.items():
            page.send(text)
            answer = json.loads(page.recv(PATIENCE))
            assert answer["kind"] == "refused"
            assert why in answer["reason"]
        server._desk.show({"time": 3.5})
        server.push()
        assert json.loads(page.recv(PATIENCE)) == {"kind": "status", "time": 3.5}


def test_a_web_page_of_another_origin_or_host_is_refused(server):
    with pytest.raises(websockets.exceptions.InvalidStatus, match="403"):
        talk(server, origin="http://other.example")
    with pytest.raises(websockets.exceptions.InvalidStatus, match="421"):
        talk(server, additional_headers={"Host": "other.example"})


def test_the_page_is_plain_files_and_may_load_nothing_from_elsewhere(server):
    for name in ("", *(file.name for file in SITE.iterdir())):
        with urllib.request.urlopen(f"{server.address}/{name}", timeout=PATIENCE) as answer:
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
            assert b"http://" not in answer.read()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{server.address}/../node.py", timeout=PATIENCE)


def test_a_taken_port_and_a_host_without_access_are_refused(server):
    with pytest.raises(NeoError, match="cannot be used"):
        PageServer(Gate(), server.port, Desk(), 0.3)
    with pytest.raises(NeoError, match="needs a certificate"):
        Gate("0.0.0.0")


def test_beyond_this_machine_the_token_is_needed(tmp_path):
    made = access.create(tmp_path, ["127.0.0.1"], datetime.now(UTC))
    server = PageServer(Gate("0.0.0.0", made), 0, Desk(), 0.3)
    try:
        trust = ssl.create_default_context(cafile=str(tmp_path / access.CERTIFICATE))
        with pytest.raises(websockets.exceptions.InvalidStatus, match="401"):
            talk(server, ssl=trust)
        with talk(server, ssl=trust, additional_headers={"Cookie": f"neo_console={made.cookie()}"}) as page:
            assert json.loads(page.recv(PATIENCE))["kind"] == "hello"
    finally:
        server.close()


def test_the_session_of_a_connection_that_breaks_is_over(server):
    desk = server._desk
    page = talk(server)
    page.recv(PATIENCE)
    page.send('{"kind": "begin", "agreed": ""}')
    page.send('{"kind": "end of a list"}')
    page.recv(PATIENCE)  # its refusal: the session has begun
    assert desk.session.who == "page 1"
    page.socket.shutdown(socket.SHUT_RDWR)
    with talk(server) as other:
        other.recv(PATIENCE)
        while desk.session is not None:
            other.send("{")
            other.recv(PATIENCE)
    assert "lost" in desk.ended
