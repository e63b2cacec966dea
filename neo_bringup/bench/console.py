"""The console: first paint, what a watching browser costs, whom the page asks, and whether the loop feels it.

Before the stand-in robot at full rates, and before a whole graph in lock-step without a browser, with one
that watches, and with one that is stopped. Each of these runs must be, bit for bit, what NeoEnv says it is.
Pages are opened in a running browser that knows nothing of the console: its own start is not the page's.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from neo_bringup.bench import browser, parity
from neo_bringup.bench.figures import Figure, quantile
from neo_bringup.bench.harness import ROOT, Request
from neo_bringup.bench.robot import robot
from neo_bringup.instance import claim_free_domain
from neo_description.errors import NeoError

SEEDS = (1, 1)
LOADS = (7, 3)  # full, quick: each in a window with a cache of its own
WATCHED = (30.0, 12.0)  # s
SETTLE = 4.0  # s between the page's first picture and the measurement of what it costs
TICKS = (3000, 1000)  # after standing up
STAND_IN = ROOT / "test" / "neo_bringup" / "console_fake_robot.py"
BROWSERS = ("none", "watching", "stopped")
LOOKED_AT = "world_model/surprise"  # nobody listens to it but a console that somebody watches
PATIENCE = 60.0  # s


def parts(request: Request) -> list[str]:
    return ["page", *(f"lockstep/{kind}" for kind in BROWSERS)]


def measure(part: str, request: Request, progress: Callable[[str], None]) -> dict[str, Any]:
    if part == "page":
        return page(request, progress)
    sample = lockstep(part.partition("/")[2], request)
    progress(f"{part}: {sample['compared']} hashes compared, {sample['differences']} differ")
    return sample


def page(request: Request, progress: Callable[[str], None]) -> dict[str, Any]:
    """Of the console before the stand-in: paints (ms), CPU time over wall time, hosts that were asked."""
    from playwright.sync_api import sync_playwright

    paints, shown, hosts = list[float](), list[float](), set[str]()
    with stand_in(request.folder) as (console, address), sync_playwright() as playwright:
        idle = share(console, WATCHED[1] / 2)
        running = playwright.chromium.launch(executable_path=browser.program(), args=list(browser.FLAGS))
        running.new_page().set_content("<p>a page</p>")
        for load in range(LOADS[request.quick]):
            opened = running.new_context(viewport={"width": browser.SIZE[0], "height": browser.SIZE[1]})
            tab = opened.new_page()
            tab.on("request", lambda asked: hosts.add(_host(asked.url)))
            tab.on("websocket", lambda asked: hosts.add(_host(asked.url)))
            tab.goto(address)
            tab.locator(".neo-chip b").first.wait_for(timeout=1000 * PATIENCE)
            shown.append(tab.evaluate("performance.now()"))
            paints.append(tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
            progress(f"load {load + 1}: first paint {paints[-1]:.0f} ms, robot shown {shown[-1]:.0f} ms")
            if load + 1 == LOADS[request.quick]:
                tab.wait_for_timeout(1000 * SETTLE)
                watched = share(console, WATCHED[request.quick])
            opened.close()
        running.close()
    hosts.discard("")
    return {"paints": paints, "shown": shown, "idle": idle, "watched": watched, "hosts": sorted(hosts)}


def _host(address: str) -> str:
    """Empty for what is inside a page."""
    parts = urlsplit(address)
    return "" if parts.scheme in ("data", "blob") else str(parts.hostname)


def share(process: psutil.Process, wall: float) -> float:
    """CPU time of ``process`` over ``wall`` s of wall time."""
    before, began = process.cpu_times(), time.monotonic()
    time.sleep(wall)
    after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) / (time.monotonic() - began)


@contextlib.contextmanager
def stand_in(folder: Path) -> Iterator[tuple[psutil.Process, str]]:
    """The stand-in robot at full rates and a console before it: its process, its address."""
    if not STAND_IN.is_file():
        raise NeoError(f"no stand-in robot {STAND_IN}: this benchmark needs a checkout")
    folder.mkdir(parents=True, exist_ok=True)
    domain, claim = claim_free_domain()
    environment = {
        **os.environ,
        "ROS_DOMAIN_ID": str(domain),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
    }
    commands = (
        [sys.executable, str(STAND_IN), "--full"],
        [sys.executable, "-m", "neo_bringup.console.node", "--ros-args", "-p", "port:=0"],
    )
    started: list[subprocess.Popen[str]] = []
    try:
        with (folder / "stand-in.log").open("w") as log:
            for command in commands:
                started.append(
                    subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
                )
            assert started[1].stdout is not None
            words = started[1].stdout.readline().split()
            if len(words) != 2:
                raise NeoError(f"the console did not start: {folder / 'stand-in.log'}")
            yield psutil.Process(started[1].pid), words[1]
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()
        claim.close()


def lockstep(kind: str, request: Request) -> dict[str, Any]:
    """A standing and reaching robot in lock-step with a console and a browser of ``kind``, against NeoEnv."""
    seed = request.seeds[0]
    log = request.folder / f"lockstep-{kind}.log"
    arguments = [f"scene:={request.scene}", f"seed:={seed}", "sync:=lockstep", "speed:=0.0", "cameras:=false"]
    with (
        robot([*arguments, "console:=true", "console_port:=0"], log) as (launched, stack),
        contextlib.ExitStack() as opened,
    ):
        if kind != "none":
            told = lambda: re.search(r"\[console\] console: (http://\S+)", log.read_text())  # noqa: E731
            stack.wait(lambda: told() is not None, PATIENCE, 0.1)
            shown = told()
            if shown is None:
                raise NeoError(f"the console told no address: {log}")
            window = opened.enter_context(browser.window(shown[1]))
            if not stack.wait(lambda: stack.node.count_subscribers(LOOKED_AT) > 0, PATIENCE):
                raise NeoError("the browser did not come to watch")
            if kind == "stopped":
                browser.send(window, signal.SIGSTOP)
        run, start = parity.run(launched, stack, TICKS[request.quick])
    return parity.compare(
        run.hashes, parity.env_hashes(request.scene, seed, run.stood_at, start, max(run.hashes))
    )


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    made = []
    if "page" in samples:
        page = samples["page"]
        outside = [host for host in page["hosts"] if host != browser.OWN]
        made = [
            Figure("console.first_paint_ms", quantile(page["paints"], 0.5), len(page["paints"])),
            Figure("console.robot_shown_ms", quantile(page["shown"], 0.5), len(page["shown"])),
            Figure("console.cpu_watched", 100.0 * page["watched"], 1),
            Figure("console.cpu_idle", 100.0 * page["idle"], 1),
            Figure("console.outside_hosts", len(outside), len(page["hosts"]), ", ".join(outside)),
        ]
    runs = {part.partition("/")[2]: s for part, s in samples.items() if part.startswith("lockstep/")}
    if runs:
        compared = sum(sample["compared"] for sample in runs.values())
        differing = [kind for kind, sample in runs.items() if sample["differences"]]
        differences = sum(sample["differences"] for sample in runs.values())
        made.append(Figure("console.loop_differences", differences, compared, ", ".join(differing)))
        made.append(Figure("console.loop_compared", min(s["compared"] for s in runs.values()), len(runs)))
    return made
