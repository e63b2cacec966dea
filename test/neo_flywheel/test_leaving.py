"""What leaves a robot, counted at a real sink: nothing without consent, no face, no more than the budget."""

import hashlib
import http.server
import json
import socket
import threading
import urllib.request
from datetime import datetime
from io import BytesIO

import cv2
import numpy as np
import pytest
from flywheel_bag import FACE, LEFT, RIGHT, START, VIDEO, jpeg, portrait, write
from mcap.reader import make_reader

from neo_bringup import cli
from neo_description.errors import NeoError
from neo_flywheel import cdr, clip, faces
from neo_flywheel.campaign import Campaign
from neo_flywheel.courier import Courier, folder_put
from neo_flywheel.privacy import Privacy
from neo_flywheel.video import Decoder

QUESTION = {
    "campaign": "spills", "version": 1, "starts": "2026-11-01T00:00:00Z", "expires": "2026-12-01T00:00:00Z",
    "triggers": [{"kind": "surprise", "quantile": 0.99}], "before": 1.0, "after": 1.0, "images": True,
    "max_clips": 5, "max_bytes": 10_000_000,
}  # fmt: skip
NOW = START / 1e9 + 3600.0
ALL = Privacy(log=True, clips=True, daily_bytes=10**9)
SEEN = Privacy(log=True, clips=True, images=True, daily_bytes=10**9)


class Store:
    """A real HTTP server on loopback that takes PUTs; ``objects``: key → bytes."""

    def __init__(self):
        self.objects, self.status = {}, 200
        store = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_PUT(self):
                store.objects[self.path[1:]] = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(store.status)
                self.end_headers()

            def log_message(self, *args):
                pass

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def put(self, key, data):
        urllib.request.urlopen(urllib.request.Request(self.url + key, data=data, method="PUT"), timeout=10)

    @property
    def bytes(self):
        return sum(map(len, self.objects.values()))

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def store():
    store = Store()
    yield store
    store.close()


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded") / "bag"
    notes = {0.0: ("provenance", "policy"), 1.0: ("prompt", "wave")}
    return write(folder, 12.0, surprises={4.0: 0.999, 9.0: 0.999}, notes=notes)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def carry(home, bag, put, now=NOW, question=QUESTION, said=None):
    courier = Courier(put, home / "privacy.yaml", home, lambda: now)
    said = [] if said is None else said
    return courier.carry("neo7", [bag], [Campaign.parse(question)], said.append), said


def topics(data):
    return {c.topic for c in make_reader(BytesIO(data)).get_summary().channels.values()}


def pictures(data, topic):
    decoder = Decoder()
    for _, _, message in make_reader(BytesIO(data)).iter_messages(topics=[topic]):
        if topic == VIDEO:
            yield decoder.decode(cdr.compressed_video(message.data).data)
        else:
            raw = cdr.compressed_image(message.data).data
            yield cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR)


@pytest.mark.parametrize("consent", [None, Privacy(daily_bytes=10**9), Privacy(log=True, clips=True)])
def test_without_consent_or_budget_not_one_byte_and_not_one_socket_leaves(home, bag, consent, monkeypatch):
    if consent is not None:
        consent.save(home / "privacy.yaml")
    sent = []

    def refused(*args, **kwargs):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(socket, "create_connection", refused)
    left, said = carry(home, bag, lambda key, data: sent.append(len(data)))
    assert (left, sum(sent)) == (0, 0)
    assert said
    assert all("no consent" in line or "may still leave today" in line for line in said)


def test_with_consent_the_log_and_the_clips_arrive_once(home, bag, store):
    ALL.save(home / "privacy.yaml")
    left, said = carry(home, bag, store.put)
    assert (left, said) == (3, [])
    assert sorted(key.split("/")[0] for key in store.objects) == ["clip", "clip", "log"]
    for key, data in store.objects.items():
        assert key.split("/")[1:] == ["neo7", f"{hashlib.sha256(data).hexdigest()}.mcap"]
    spent = json.loads((home / "courier.json").read_text())
    assert spent["bytes"] == store.bytes
    assert carry(home, bag, store.put)[0] == 0


def test_the_log_is_small_has_no_pictures_and_says_who_acted(bag):
    data = clip.decimated(bag, 2.0, {})
    assert topics(data) == {"/body/state", "/world_model/surprise", "/recorder/notes"}
    counts = {}
    for _, channel, _ in make_reader(BytesIO(data)).iter_messages():
        counts[channel.topic] = counts.get(channel.topic, 0) + 1
    assert 23 <= counts["/body/state"] <= 25  # of 600
    assert counts["/recorder/notes"] == 2
    assert len(data) < (bag / "bag_0.mcap").stat().st_size / 20


def test_no_picture_leaves_as_it_was_and_the_face_is_not_in_it(home, bag, store):
    SEEN.save(home / "privacy.yaml")
    carry(home, bag, store.put, question={**QUESTION, "max_clips": 1, "before": 0.5, "after": 0.5})
    original = jpeg(portrait())
    x, y, w, h = FACE
    before = portrait()
    assert faces.find(before)
    clips = [data for key, data in store.objects.items() if key.startswith("clip/")]
    for data in clips:
        assert "/perception/points" not in topics(data)
        for topic in (LEFT, RIGHT, VIDEO):
            shown = list(pictures(data, topic))
            assert len(shown) >= 2
            assert not faces.find(shown[len(shown) // 2])
            for image in shown:
                inside = image[y : y + h, x : x + w].astype(int) - before[y : y + h, x : x + w]
                outside = image[:, :120].astype(int) - before[:, :120]
                assert np.abs(inside).mean() > 5 * np.abs(outside).mean() + 5.0
    for data in store.objects.values():
        for _, _, message in make_reader(BytesIO(data)).iter_messages():
            assert original[3000:3100] not in message.data  # of its scan, not its tables
            assert b"secret points" not in message.data


def test_a_picture_that_misses_the_face_is_covered_as_its_neighbours_are():
    seen, wall = faces.Faces(), np.full_like(portrait(), 120)
    seen.see(0, portrait())
    seen.see(5 * 10**8, wall)
    assert seen.at(5 * 10**8) == seen.at(0) != []
    assert not seen.at(10**9)


def test_without_a_detector_no_picture_leaves(home, bag, store, monkeypatch):
    SEEN.save(home / "privacy.yaml")
    faces._cascades.cache_clear()
    monkeypatch.setattr(cv2.data, "haarcascades", "/nowhere/")
    with pytest.raises(NeoError, match="no face detector"):
        carry(home, bag, store.put)
    assert all(key.startswith("log/") for key in store.objects)
    faces._cascades.cache_clear()


@pytest.mark.parametrize("wish", [{"privacy": ALL}, {"images": False}])
def test_pictures_need_both_the_question_and_the_consent(home, bag, store, wish):
    wish.get("privacy", SEEN).save(home / "privacy.yaml")
    question = {**QUESTION, "images": wish.get("images", True)}
    assert carry(home, bag, store.put, question=question)[0] == 3
    for data in store.objects.values():
        assert not topics(data) & {LEFT, RIGHT, VIDEO}


def test_a_clip_begins_with_what_is_latched_and_lies_within_its_window(bag):
    first, last = START + 8 * 10**9, START + 10 * 10**9
    data = clip.cut(bag, first, last, {"why": "test"}, images=False)
    rows = [(c.topic, m.log_time) for _, c, m in make_reader(BytesIO(data)).iter_messages()]
    assert ("/tf_static", first) in rows
    assert rows.count(("/recorder/notes", first)) == 2
    assert all(first <= t <= last for _, t in rows)


def test_the_budget_of_a_day_holds_across_restarts_and_comes_back_the_next_day(home, bag, store):
    size = len(clip.decimated(bag, 2.0, {"robot": "neo7", "kind": "log"}))
    Privacy(log=True, clips=True, daily_bytes=size + 1000).save(home / "privacy.yaml")
    for _ in range(3):  # each a restart
        _, said = carry(home, bag, store.put)
        assert store.bytes <= size + 1000
    assert [key.split("/")[0] for key in store.objects] == ["log"]
    assert "may still leave today" in said[0]
    carry(home, bag, store.put, now=NOW - 3 * 86400.0)  # a clock that was set back
    assert len(store.objects) == 1
    Privacy(log=True, clips=True, daily_bytes=10**9).save(home / "privacy.yaml")
    assert carry(home, bag, store.put, now=NOW + 86400.0)[0] == 2
    assert json.loads((home / "courier.json").read_text())["bytes"] == store.bytes - size


def test_what_is_counted_before_a_failed_put_stays_counted_and_is_tried_again(home, bag, store):
    ALL.save(home / "privacy.yaml")
    store.status = 503
    left, said = carry(home, bag, store.put)
    assert left == 0
    assert len(said) == 3
    assert all("not put" in line for line in said)
    counted = json.loads((home / "courier.json").read_text())["bytes"]
    assert counted == store.bytes  # they had left
    store.status = 200
    assert carry(home, bag, store.put)[0] == 3


def test_a_campaign_gets_no_more_clips_and_bytes_than_it_asked_for(home, bag, store):
    ALL.save(home / "privacy.yaml")
    assert carry(home, bag, store.put, question={**QUESTION, "max_clips": 1})[0] == 2
    left, said = carry(home, bag, store.put, question={**QUESTION, "max_clips": 1})
    assert left == 0
    assert "the campaign has its clips" in said[0]
    small = {**QUESTION, "campaign": "small", "max_bytes": 100}
    left, said = carry(home, bag, store.put, question=small)
    assert left == 0
    assert all("more than the campaign may still have" in line for line in said)


def test_consent_that_is_withdrawn_between_two_puts_holds_at_once(home, bag):
    ALL.save(home / "privacy.yaml")
    sent = []

    def put(key, data):
        sent.append(key)
        Privacy().save(home / "privacy.yaml")

    assert carry(home, bag, put)[0] == 1
    assert len(sent) == 1


def test_a_consent_that_ended_is_none(home, bag, store):
    day = datetime.fromtimestamp(NOW).date()
    Privacy(log=True, clips=True, until=day, daily_bytes=10**9).save(home / "privacy.yaml")
    left, said = carry(home, bag, store.put, now=NOW + 86400.0)
    assert (left, store.bytes) == (0, 0)
    assert f"the consent ended with {day}" in said[0]
    assert carry(home, bag, store.put)[0] == 3


def span(minutes_from, minutes_to):
    """A no-go time so many minutes after the recording's start."""
    times = [datetime.fromtimestamp(START / 1e9 + 60 * m) for m in (minutes_from, minutes_to)]
    return f"{times[0]:%H:%M}-{times[1]:%H:%M}"


def test_nothing_recorded_in_a_no_go_time_leaves_and_nothing_is_sent_in_one(home, bag, store):
    Privacy(**{**vars(ALL), "no_go": (span(-30, 30),)}).save(home / "privacy.yaml")
    left, said = carry(home, bag, store.put)
    assert left == 1  # an empty log
    (log,) = store.objects.values()
    assert not topics(log)
    assert all("recorded in a no-go time" in line for line in said)
    Privacy(**{**vars(ALL), "no_go": (span(30, 90),)}).save(home / "privacy.yaml")
    left, said = carry(home, bag, store.put)
    assert left == 0
    assert all("a no-go time" in line for line in said)
    assert carry(home, bag, store.put, now=NOW + 7200.0)[0] == 2


@pytest.mark.parametrize(
    ("no_go", "first", "last", "expected"),
    [
        ("22:00-07:00", "2026-11-28T21:59", "2026-11-28T22:01", True),
        ("22:00-07:00", "2026-11-28T06:59", "2026-11-28T06:59", True),
        ("22:00-07:00", "2026-11-28T07:00", "2026-11-28T21:58", False),
        ("12:00-13:00", "2026-11-28T11:00", "2026-11-28T14:00", True),
        ("12:00-13:00", "2026-11-28T13:00", "2026-11-29T11:00", False),
        ("12:00-13:00", "2026-11-28T13:00", "2026-11-30T11:00", True),
        ("00:00-00:00", "2026-11-28T03:00", "2026-11-28T03:00", True),
    ],
)
def test_no_go_times_go_over_midnight_and_are_seen_within_a_clip(no_go, first, last, expected):
    privacy = Privacy(no_go=(no_go,))
    found = privacy.touches_no_go(datetime.fromisoformat(first), datetime.fromisoformat(last))
    assert found == expected


@pytest.mark.parametrize(
    "content",
    [
        "log: yes please",
        "logs: true",
        "- 1",
        "until: soon",
        "no_go: [25:00-26:00]",
        "a: [",
        "daily_bytes: -1",
    ],
)
def test_a_privacy_file_that_cannot_be_understood_lets_nothing_leave(home, bag, store, content):
    home.mkdir()
    (home / "privacy.yaml").write_text(content)
    with pytest.raises(NeoError, match="nothing leaves"):
        carry(home, bag, store.put)
    assert store.bytes == 0


def test_an_account_that_cannot_be_read_lets_nothing_leave(home, bag, store):
    ALL.save(home / "privacy.yaml")
    (home / "courier.json").write_text("{")
    with pytest.raises(NeoError, match="nothing leaves"):
        carry(home, bag, store.put)
    assert store.bytes == 0


def test_a_bag_that_is_cut_off_holds_up_no_other(home, bag, store, tmp_path):
    ALL.save(home / "privacy.yaml")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "bag_0.mcap").write_bytes((bag / "bag_0.mcap").read_bytes()[:-100])
    said = []
    courier = Courier(store.put, home / "privacy.yaml", home, lambda: NOW)
    assert courier.carry("neo7", [broken, bag], [], said.append) == 1
    assert "neo bag recover" in said[0]


def test_the_command_from_key_to_store(home, bag, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    question = {**QUESTION, "starts": "2026-01-01T00:00:00Z", "expires": "2026-12-31T00:00:00Z"}
    now = datetime.now()
    question["starts"], question["expires"] = f"{now.year - 1}-12-31T00:00:00Z", f"{now.year}-12-31T00:00:00Z"
    (tmp_path / "q.json").write_text(json.dumps(question))

    def neo(*words):
        code = cli.main(["campaign", *map(str, words)])
        return code, capsys.readouterr()

    assert neo("key", "key")[0] == 0
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert neo("key", "key")[0] == 2
    assert neo("sign", "q.json", "--key", "key", "--out", "c.json")[0] == 0
    asked = ("--campaign", "c.json", "--trusted", "key.pub")
    code, shown = neo("check", bag, *asked)
    assert code == 0
    assert shown.out.count("surprise 0.9990") == 2
    (told,) = json.loads(neo("check", bag, *asked, "--json")[1].out)
    assert [window["bag"] for window in told["windows"]] == [str(bag)] * 2
    assert neo("check", "--campaign", "c.json")[0] == 2
    assert "0 things left" in neo("run", bag, "--to", "store", *asked, "--home", home)[1].out
    assert not (tmp_path / "store").exists()
    assert neo("allow", "--log", "--clips", "--home", home)[0] == 0
    assert "3 things left" in neo("run", bag, "--to", "store", *asked, "--home", home)[1].out
    assert len(list((tmp_path / "store").rglob("*.mcap"))) == 3
    assert neo("withdraw", "--home", home)[0] == 0
    assert Privacy.load(home / "privacy.yaml") == Privacy()
    assert neo("allow", "--no-go", "noon", "--home", home)[0] == 2


def test_a_folder_store_holds_whole_files(tmp_path):
    folder_put(tmp_path)("log/neo/a.mcap", b"data")
    assert (tmp_path / "log" / "neo" / "a.mcap").read_bytes() == b"data"
    assert [f.name for f in tmp_path.rglob("*.*")] == ["a.mcap"]
