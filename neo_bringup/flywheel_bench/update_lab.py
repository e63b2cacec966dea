"""A small fleet to attack and to cut the power of: keys, both repositories, two robots, two toy releases."""

from __future__ import annotations

import http.server
import json
import shutil
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from securesystemslib.signer import Signer

from neo_bringup.flywheel_bench import toy_model
from neo_flywheel.update import clock, release, replay
from neo_flywheel.update.agent import Agent
from neo_flywheel.update.agreement import Settings, enrol
from neo_flywheel.update.fleet import Fleet, create_keys
from neo_flywheel.update.manifest import REPLAY
from neo_flywheel.update.repository import Repository
from neo_flywheel.update.rollout import Gate, Stage

OLD, NEW = "1.0", "1.1"
ROBOTS = ("neo-1", "neo-2")
PATIENT = 240.0  # s


class Lab:
    """In ``root``: keys, fleet and homes. The first robot is no canary."""

    def __init__(self, root: Path):
        self.root = root
        self.keys, self.fleet_folder = root / "keys", root / "fleet"

    @classmethod
    def create(cls, root: Path, seed: int, age: timedelta = timedelta(), ballast: int = 0) -> Lab:
        """``OLD`` is what all robots are assigned. ``age``: since everything was signed."""
        lab = cls(root)
        create_keys(lab.keys, clock.utc_now())
        fleet = lab.fleet(age)
        fleet.create()
        for robot in ROBOTS:
            fleet.add_robot(robot, canary=robot == ROBOTS[1])
        for version, number in ((OLD, 0), (NEW, 1)):
            model = toy_model.write(root / "models" / version, 2 * seed + number, ballast=ballast)
            replay.record(model, model / REPLAY)
        lab.publish(OLD, age)
        return lab

    def copy(self, root: Path) -> Lab:
        """The same lab in another folder."""
        shutil.copytree(self.root, root)
        return Lab(root)

    def fleet(self, age: timedelta = timedelta()) -> Fleet:
        return Fleet(self.fleet_folder, [self.keys], lambda: clock.utc_now() - age)

    def image(self) -> Repository:
        return self.fleet().repository("image")

    def director(self) -> Repository:
        return self.fleet().repository("director")

    def publish(self, version: str, age: timedelta = timedelta(), channel: str = "stable") -> None:
        """To every robot at once, and over: the next may begin."""
        fleet = self.fleet(age)
        release.publish(fleet.repository("image"), self.root / "models" / version, version, channel, {})
        rollout = fleet.begin(version, channel, Gate(), Stage.ALL)
        (self.fleet_folder / "rollout.json").write_text(json.dumps(rollout.row() | {"stage": "done"}))

    def enrol(
        self, robot: str = ROBOTS[0], source: str = "", home: str = "", timeout: float = PATIENT
    ) -> Path:
        """The home of a robot that believes the first roots, and reads from ``source``.

        ``timeout``: s of its examinations; by default so long that no busy machine decides.
        """
        where = source or str(self.fleet_folder)
        roots = [
            (self.fleet_folder / kind / "metadata" / "1.root.json").read_bytes()
            for kind in ("image", "director")
        ]
        folder = self.root / (home or robot)
        settings = Settings(robot, f"{where}/image", f"{where}/director", timeout=timeout)
        enrol(folder, settings, *roots)
        return folder

    def signers(self, kind: str, roles: Iterable[str]) -> list[Signer]:
        """Of the private keys made for ``roles``."""
        from neo_flywheel.update import keys

        found = keys.signers([self.keys / kind]).values()
        return [key.signer() for key in found if key.role in roles]


def forge(
    repository: Repository,
    role: str,
    change: Callable[[Any], None],
    signers: Iterable[Signer],
    follow: bool = True,
) -> None:
    """Writes a next version of ``role`` that ``signers`` sign, whoever they are, with no check.

    ``follow``: snapshot and timestamp are signed anew by their true keys, as a thief of those could.
    """
    md = repository.open(role)
    change(md.signed)
    md.signed.version += 1
    md.signed.expires = clock.utc_now() + timedelta(days=1)
    md.signatures.clear()
    for signer in signers:
        md.sign(signer, append=True)
    repository.file(role, md.signed.version).write_bytes(md.to_bytes())
    if follow:
        repository.do_snapshot(force=True)
        repository.do_timestamp(force=True)


def agent(home: Path, **other: Any) -> Agent:
    """Of the robot in ``home``, which is idle."""
    return Agent(home, lambda: "", **other)


@contextmanager
def served(
    folder: Path, ranges: bool = True, endless: str = "", cut: int = 0, drips: threading.Event | None = None
) -> Iterator[tuple[str, list[str]]]:
    """A web server of ``folder``: its address, and what it was asked for.

    ``ranges``: whether it answers range requests; ``endless``: a path that never ends; ``cut``: bytes after
    which it drops a connection, each time; ``drips``: a byte every hundredth of a second, until it is set.
    """
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            file = folder / self.path.lstrip("/")
            at = self.headers.get("Range", "")
            asked.append(f"{self.path} {at}".strip())
            if endless and self.path == endless:
                self.send_response(200)
                self.end_headers()
                while self._sent(b" " * 65536):
                    pass
                return
            if not file.is_file():
                self.send_error(404)
                return
            content = file.read_bytes()
            start = int(at.removeprefix("bytes=").split("-")[0]) if at and ranges else 0
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            if drips is not None:
                for i in range(start, len(content)):
                    if drips.wait(0.01) or not self._sent(content[i : i + 1]):
                        return
            self._sent(content[start : start + cut] if cut else content[start:])
            self.close_connection = True

        def _sent(self, block: bytes) -> bool:
            try:
                self.wfile.write(block)
            except OSError:
                return False
            return True

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()
