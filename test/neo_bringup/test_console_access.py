"""Who gets through to the console, over real TLS and WebSockets."""

import ssl
import stat
import threading
import urllib.error
import urllib.request
from datetime import UTC, datetime
from types import SimpleNamespace

import msgspec
import pytest
import viser
import websockets.exceptions
import websockets.sync.client

from neo_bringup import cli
from neo_bringup.console import access, server
from neo_bringup.console.gate import Gate
from neo_description.errors import NeoError

CAMERA = {
    "type": "ViewerCameraMessage", "wxyz": [1, 0, 0, 0], "position": [1, 2, 3], "fov": 1.0, "near": 0.1,
    "far": 9.0, "image_height": 10, "image_width": 10, "look_at": [0, 0, 0], "up_direction": [0, 0, 1],
}  # fmt: skip
PATIENCE = 20.0  # s


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("access") / "console"
    access.create(folder, ["127.0.0.1", "robot.local"], datetime.now(UTC))
    return folder


@pytest.fixture(scope="module")
def console():
    """Starts a server with a STOP button behind a gate; what was pressed stands in ``pressed``."""
    running = []

    def start(gate):
        made = server.start(0, "test", gate)
        running.append(made)
        came, pressed, looked = threading.Event(), threading.Event(), threading.Event()

        def connected(client):
            client.camera.on_update(lambda _: looked.set())
            came.set()

        button = made.gui.add_button("STOP")
        button.on_click(lambda _: pressed.set())
        made.on_client_connect(connected)
        return SimpleNamespace(
            address=gate.address(made.get_port()),
            button=button._impl.uuid,
            came=came,
            pressed=pressed,
            looked=looked,
        )

    yield start
    for made in running:
        server.stop(made)


@pytest.fixture(scope="module")
def here(console):
    return console(Gate())


@pytest.fixture(scope="module")
def remote(console, folder):
    return console(Gate(access=access.load(folder)))


def trusting(folder):
    return ssl.create_default_context(cafile=folder / access.CERTIFICATE)


def get(address, path="/", folder=None, **headers):
    request = urllib.request.Request(address + path, headers=headers)
    return urllib.request.urlopen(request, timeout=PATIENCE, context=trusting(folder) if folder else None)


def refusal(*words, **more):
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(*words, **more)
    return refused.value


def log_in(console, folder):
    """The cookie for the right token."""
    token = (folder / access.TOKEN).read_text().strip()
    answer = get(console.address, "/login", folder, Authorization=f"Bearer {token}")
    return answer.headers["Set-Cookie"]


def connect(console, folder=None, origin="own", **headers):
    tls = trusting(folder) if folder else None
    if tls is not None:
        # the client's threads read and write at once; Python 3.11's ssl does not bear that while tickets come
        tls.maximum_version = ssl.TLSVersion.TLSv1_2
    return websockets.sync.client.connect(
        console.address.replace("http", "ws", 1), subprotocols=[f"viser-v{viser.__version__}"], max_size=None,
        origin=console.address if origin == "own" else origin, ssl=tls,
        additional_headers=headers, close_timeout=0.5, open_timeout=PATIENCE,
    )  # fmt: skip


def press(console, client):
    """Comes, presses, looks round: when the look has arrived, so has the button."""
    button = {"type": "GuiUpdateMessage", "uuid": console.button, "updates": {"value": True}}
    client.send(msgspec.msgpack.encode(CAMERA))
    assert console.came.wait(PATIENCE)
    for message in (button, {**CAMERA, "fov": 0.9}):
        client.send(msgspec.msgpack.encode(message))
    assert console.looked.wait(PATIENCE)


def test_on_loopback_a_page_of_its_own_presses_buttons(here):
    with connect(here) as client:
        press(here, client)
    assert here.pressed.wait(PATIENCE)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:1"])
def test_a_page_of_another_origin_gets_no_connection(here, origin):
    with pytest.raises(websockets.exceptions.InvalidStatus, match="403"):
        connect(here, origin=origin)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1", "127.0.0.1:1"])
def test_a_name_that_was_made_to_lead_here_is_refused(here, host):
    """DNS rebinding: the browser takes evil.example for us, and its pages for ours."""
    assert refusal(here.address, Host=host).code == 421
    with pytest.raises(websockets.exceptions.InvalidStatus, match=r"421|403"):
        connect(here, Host=host)


def test_beyond_this_machine_it_needs_certificate_and_token():
    for host in ("0.0.0.0", "192.0.2.7", "::", "robot.local"):
        with pytest.raises(NeoError, match="needs a certificate and a token"):
            Gate(host)


def test_without_the_token_there_is_nothing_but_a_form(remote, folder):
    refused = refusal(remote.address, folder=folder)
    assert refused.code == 401
    assert b"Token of this console" in refused.read()
    assert refusal(remote.address, "/assets/anything.js", folder=folder).code == 401
    with pytest.raises(websockets.exceptions.InvalidStatus, match="401"):
        connect(remote, folder)


@pytest.mark.parametrize("token", ["wrong", "", "x" * 600, "\u00e9\u00e9"])
def test_another_token_gives_no_cookie(remote, folder, token):
    try:
        answer = get(remote.address, "/login", folder, Authorization=f"Bearer {token}")
    except urllib.error.HTTPError as error:
        answer = error
    assert answer.headers["Set-Cookie"] is None


@pytest.mark.parametrize(
    "cookie", ["neo_console=0", "neo_console=", "neo_console", "other=1; neo_console=\u00e9", ";=;"]
)
def test_a_made_up_cookie_opens_nothing(remote, folder, cookie):
    assert refusal(remote.address, folder=folder, Cookie=cookie).code == 401


def test_the_token_opens_the_page_and_its_buttons(remote, folder):
    cookie = log_in(remote, folder)
    assert {"HttpOnly", "Secure", "SameSite=Strict"} <= set(cookie.split("; "))
    assert (folder / access.TOKEN).read_text().strip() not in cookie
    assert get(remote.address, "/", folder, Cookie=cookie.split(";")[0]).status == 200
    with connect(remote, folder, Cookie=cookie.split(";")[0]) as client:
        press(remote, client)
    assert remote.pressed.wait(PATIENCE)


def test_the_cookie_does_not_let_a_page_of_another_origin_in(remote, folder):
    cookie = log_in(remote, folder).split(";")[0]
    with pytest.raises(websockets.exceptions.InvalidStatus, match="403"):
        connect(remote, folder, origin="https://evil.example", Cookie=cookie)


def test_who_may_only_watch_sees_and_presses_nothing(console, folder):
    open_ = console(Gate(access=access.load(folder), open_watching=True))
    assert get(open_.address, "/", folder).status == 200
    with connect(open_, folder) as client:
        assert client.recv(timeout=PATIENCE)
        press(open_, client)
    assert not open_.pressed.is_set()


def test_a_new_token_shuts_out_who_had_the_old_one(remote, console, folder, tmp_path):
    old = log_in(remote, folder).split(";")[0]
    access.create(tmp_path / "new", ["127.0.0.1"], datetime.now(UTC))
    anew = console(Gate(access=access.load(tmp_path / "new")))
    assert refusal(anew.address, folder=tmp_path / "new", Cookie=old).code == 401


def test_plain_http_is_no_way_in(remote):
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        get(remote.address.replace("https", "http"))


def test_only_the_owner_may_read_key_and_token(folder):
    for name in (access.KEY, access.TOKEN):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda made: (made / access.TOKEN).chmod(0o640), "may be read by others"),
        (lambda made: (made / access.KEY).chmod(0o604), "may be read by others"),
        (lambda made: (made / access.TOKEN).write_text("short\n"), "holds 5 characters"),
        (lambda made: (made / access.TOKEN).unlink(), "no .*token"),
        (lambda made: (made / access.CERTIFICATE).write_text("none"), "is no certificate"),
    ],
)
def test_an_access_that_is_none_is_refused(tmp_path, spoil, said):
    access.create(tmp_path, ["robot.local"], datetime.now(UTC))
    spoil(tmp_path)
    with pytest.raises(NeoError, match=said):
        access.load(tmp_path)


def test_neo_access_makes_one_and_never_says_its_token(tmp_path, capsys):
    made = tmp_path / "made"
    assert cli.main(["access", "create", str(made), "--name", "robot.local", "--name", "192.0.2.7"]) == 0
    assert cli.main(["access", "show", str(made)]) == 0
    said = capsys.readouterr()
    assert "names: robot.local, 192.0.2.7" in said.out
    assert (made / access.TOKEN).read_text().strip() not in said.out + said.err + repr(access.load(made))
    assert cli.main(["access", "create", str(made), "--name", "robot.local"]) == 2
    assert cli.main(["access", "create", str(tmp_path / "other")]) == 2


def test_neo_up_refuses_a_console_on_the_network_without_one(capsys):
    assert cli.main(["up", "cameras:=false", "console_host:=0.0.0.0"]) == 2
    assert "needs a certificate and a token" in capsys.readouterr().err
