"""A scripted person in a real headless browser, in lock-step with the simulated robot.

Each of their frames is what two controllers of a headset say; the page reads it by its own WebXR code and
sends it over its own WebSocket to the server that people use. The simulation waits for it.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from neo_bringup.bench import browser
from neo_bringup.collect.teleoperated import Source
from neo_bringup.console.gate import Gate
from neo_bringup.teleop_page.server import PageServer
from neo_description.errors import NeoError
from neo_task.planner import Observation, Step
from neo_teleop import status
from neo_teleop.clutch import about_z
from neo_teleop.desk import Desk
from neo_teleop.devices.page import R_USER_XR
from neo_teleop.frames import HandFrame, OperatorFrame
from neo_teleop.teleop import Teleop, load_parameters

CONTROLLERS = Path(__file__).with_name("controllers.js")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-timer-throttling",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")  # fmt: skip
PATIENCE = 60.0  # s of wall time for one frame
LOOK = np.array([0.0, 0.0, -1.0])  # where a head looks in WebXR


class BrowserPerson:
    """A page, its server, and a session that its operator agreed to; NeoError without a browser."""

    def __enter__(self) -> BrowserPerson:
        chromium = browser.program()
        try:
            from playwright.sync_api import sync_playwright
        except ImportError:
            raise NeoError("no playwright here; `make setup` brings it") from None
        self._desk = Desk()
        self._came = threading.Event()
        self._put = self._desk.put
        self._desk.put = self._put_and_tell  # type: ignore[method-assign]
        self._server = PageServer(Gate(), 0, self._desk, load_parameters().late)
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        self._page = self._browser.new_page()
        self._page.add_init_script(path=CONTROLLERS)
        self._page.goto(self._server.address)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._browser.close()
        self._playwright.stop()
        self._server.close()

    def _put_and_tell(self, who: str, frame: OperatorFrame) -> None:
        self._put(who, frame)
        self._came.set()

    def through(self, person: Source, teleop: Teleop) -> Source:
        """``person``, whose frames go through the page."""
        return _Through(self, person, teleop)

    def begin(self, show: Any) -> None:
        """Agree and begin, as a person does by clicking; frames count from when the headset is on."""
        show()
        self._page.click("text=I agree: begin, recorded")
        self._until(lambda: self._desk.session is not None, show)
        show()
        self._page.click("#headset")
        self._page.wait_for_function("Boolean(window.xr.session?.next)")
        self._desk.ready = True  # the caller records

    def send(self, seen: float, frame: OperatorFrame) -> list[OperatorFrame]:
        """What the server makes of ``frame``, done with controllers by who sees the robot at ``seen`` s."""
        self._came.clear()
        R_xr_user = R_USER_XR.T @ about_z(-frame.heading)
        hands = {side: _controller(hand, R_xr_user) for side, hand in frame.hands.items()}
        look = None if frame.look is None else _turned(R_xr_user @ frame.look)
        self._page.evaluate("([...given]) => xr.step(...given)", [seen, frame.time, hands, look])
        if not self._came.wait(PATIENCE):
            said = self._page.locator("#log").inner_text()
            raise NeoError(f"the page sent nothing within {PATIENCE:g} s: {said or 'it says nothing'}")
        return self._desk.take()[0]

    def show(self, told: dict[str, Any]) -> None:
        """The robot's state from now on."""
        self._desk.now = told["time"]
        self._desk.show(told)
        self._server.push()

    @property
    def desk(self) -> Desk:
        return self._desk

    def _until(self, condition: Any, each: Any) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise NeoError(f"the page did not get on within {PATIENCE:g} s")
            each()
            self._page.wait_for_timeout(20)


class _Through:
    def __init__(self, browser: BrowserPerson, person: Source, teleop: Teleop):
        self._browser, self._person, self._teleop = browser, person, teleop
        self._begun = False

    def frames(self, seen: Observation, wanted: Step) -> list[OperatorFrame]:
        def show() -> None:
            self._browser.show(
                status.told(
                    self._browser.desk, self._teleop, time=seen.time, robot=seen.estimate.safety,
                    felt=seen.hands, recording={"state": "on", "seconds": 0.0, "path": "", "why": ""},
                )
            )  # fmt: skip

        if not self._begun:
            self._begun = True
            self._browser.begin(show)
        out = []
        for frame in self._person.frames(seen, wanted):
            show()
            out += self._browser.send(seen.time, frame)
        return out


def _controller(hand: HandFrame, R_xr_user: np.ndarray) -> dict[str, Any]:
    R = R_xr_user @ hand.T_user_hand[:3, :3]
    return {
        "position": (R_xr_user @ hand.T_user_hand[:3, 3]).tolist(),
        "quaternion": Rotation.from_matrix(R).as_quat().tolist(),
        "clutch": hand.clutch, "trigger": hand.trigger, "grasp": hand.grasp, "width": hand.width,
        "give": hand.give,
    }  # fmt: skip


def _turned(look: np.ndarray) -> list[float] | None:
    """The head's quaternion that looks along ``look``; None: nowhere."""
    length = float(np.linalg.norm(look))
    if length == 0.0:
        return None
    turn, _ = Rotation.align_vectors([look / length], [LOOK])
    return list(turn.as_quat())
