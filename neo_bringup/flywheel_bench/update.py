"""Updates: attacks that must be refused, and power cuts that must leave a robot with a good model.

``attacks`` carries out every attack of :mod:`update_attacks`, each on a lab of its own in which the same
robot accepted an honest release before. ``power/N`` kills `neo update install`, a real process, by SIGKILL at
random points of download, switch and first start; then a fresh `neo update start` must come up on a whole
release, and the update must still go through. ``bad`` installs releases that are not fit, and times the way
back.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neo_bringup.bench.figures import Figure
from neo_bringup.flywheel_bench import toy_model
from neo_bringup.flywheel_bench.update_attacks import ATTACKS, take
from neo_bringup.flywheel_bench.update_lab import NEW, OLD, Lab, agent
from neo_description.errors import NeoError
from neo_flywheel.update import health, release
from neo_flywheel.update.source import UntrustedError

CUTS, CUTS_A_PART = 50, 5
PARTS = ("attacks", "bad", *(f"power/{i}" for i in range(CUTS // CUTS_A_PART)))
PHASES = {
    "download": ("get ", "have "),
    "switch": ("fill ", "switch"),
    "first start": ("first ", "exam", "mark "),
}
BALLAST = 2_000_000  # bytes of weights, so that a download has a middle
PATIENCE = 300.0  # s for a process


def measure(part: str, seed: int, folder: Path, progress: Callable[[str], None]) -> dict[str, Any]:
    """Of one of ``PARTS``; ``folder`` is emptied."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    what, _, index = part.partition("/")
    if what == "attacks":
        return attacks(seed, folder, progress)
    if what == "bad":
        return bad(seed, folder, progress)
    return power(seed * CUTS + int(index), folder, progress)


def attacks(seed: int, folder: Path, progress: Callable[[str], None]) -> dict[str, Any]:
    """Attack → why it was refused; empty when it was not."""
    base = Lab.create(folder / "base", seed)
    found = {}
    for attack in ATTACKS:
        found[attack.__name__] = attacked(base, folder / attack.__name__, attack)
        progress(f"{attack.__name__}: {found[attack.__name__] or 'NOT REFUSED'}")
    return {"attacks": found}


def attacked(base: Lab, folder: Path, attack: Callable[..., Callable[[], Any]]) -> str:
    """Why ``attack`` was refused; empty when it was not."""
    lab = base.copy(folder)
    home = lab.enrol()
    take(agent(home))  # what is honest is accepted: a robot that refuses everything would prove nothing
    attempt = attack(lab, home)
    try:
        attempt()
    except UntrustedError as error:
        return str(error)
    except NeoError:
        return ""  # not reached is not refused
    return ""


def command(action: str, home: Path) -> list[str]:
    """Of the robot's agent, as it is run on a robot."""
    words = [sys.executable, "-m", "neo_bringup.cli", "update", action, "--home", str(home)]
    return [*words, "--idle"] if action == "install" else words


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}


class Child:
    """A process of the agent whose progress is read line by line, and which may be killed."""

    def __init__(self, words: list[str]):
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment(), text=True
        )
        self.lines: list[tuple[float, str]] = []  # s since it began, line

    def read(self, until: Callable[[str], bool] = lambda line: False) -> None:
        """Reads on until a line is as wanted, or the end."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append((time.monotonic() - self.began, line.removeprefix("… ").strip()))
            if until(self.lines[-1][1]):
                return

    def kill(self, after: float) -> None:
        """SIGKILL ``after`` s, unless it ends before."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(after)
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate(timeout=PATIENCE)

    def end(self) -> tuple[int, str, float]:
        """Exit code, what it printed, s that it took."""
        self.read()
        out, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out.strip(), time.monotonic() - self.began


def points(lines: list[tuple[float, str]]) -> dict[str, list[tuple[str, float]]]:
    """Phase → (line, s until the next) of an update that nobody killed."""
    found: dict[str, list[tuple[str, float]]] = {phase: [] for phase in PHASES}
    for (at, line), (then, _) in itertools.pairwise([*lines, (lines[-1][0] + 0.05, "")]):
        for phase, starts in PHASES.items():
            if line.startswith(starts):
                found[phase].append((line, then - at))
    return found


def power(seed: int, folder: Path, progress: Callable[[str], None]) -> dict[str, Any]:
    """Power cuts, and what came up after each."""
    rng = random.Random(seed)
    lab = Lab.create(folder / "lab", seed, ballast=BALLAST)
    template = lab.enrol()
    take_all(template)
    lab.publish(NEW)
    unkilled = folder / "unkilled"
    shutil.copytree(template, unkilled)
    child = Child(command("install", unkilled))
    code, _, _ = child.end()
    if code != 0:
        raise NeoError(f"the update does not go through unkilled: {child.lines}")
    phases, cuts = points(child.lines), []
    for i in range(CUTS_A_PART):
        phase = rng.choice(list(PHASES))
        line, gap = rng.choice(phases[phase])
        home = folder / f"home-{i}"
        shutil.copytree(template, home)
        cut = cut_at(lab, home, line, rng.uniform(0.0, gap))
        cuts.append({"phase": phase, "line": line, **cut})
        progress(f"{phase}, after {line!r}: {cut}")
        shutil.rmtree(home)
    return {"cuts": cuts}


def cut_at(lab: Lab, home: Path, line: str, after: float) -> dict[str, Any]:
    """Kills an update ``after`` s behind ``line``; what a fresh agent then comes up on, and how fast."""
    child = Child(command("install", home))
    child.read(lambda said: said == line)
    child.kill(after)
    killed = child.process.returncode == -signal.SIGKILL
    fresh = Child(command("start", home))
    code, out, seconds = fresh.end()
    image = lab.image()
    version = next((v for v in (OLD, NEW) if out and not release.find(image, v).wrong(Path(out))), "")
    rolled = any(said.startswith("rolled back") for _, said in fresh.lines)
    good = code == 0 and bool(version) and not agent(home).status()["trial"]
    return {
        "killed": killed, "good": good, "version": version, "rolled_back": rolled, "seconds": seconds,
        "went_through": _goes_through(home), "said": "" if good else str(fresh.lines[-1:]),
    }  # fmt: skip


def _goes_through(home: Path) -> bool:
    """Whether the update that was cut off can be done after all."""
    try:
        if agent(home).check() is not None:
            take_all(home)
        status = agent(home).status()
        return agent(home).check() is None and status["slots"][status["active"]]["good"]
    except NeoError:
        return False


def bad(seed: int, folder: Path, progress: Callable[[str], None]) -> dict[str, Any]:
    """Releases that are signed and not fit: why each was refused, and s from first start to the old model."""
    lab = Lab.create(folder / "lab", seed)
    home = lab.enrol(timeout=health.Limits.timeout)
    take_all(home)
    good = lab.root / "models" / OLD
    made = {
        "lies": lambda to: shutil.copytree(lab.root / "models" / NEW, to),
        "other actions": lambda to: toy_model.write(to, seed, actions=7),
        "hangs": lambda to: toy_model.write(to, seed, hangs=True),
        "no graph": lambda to: toy_model.broken(shutil.copytree(good, to) / "act.onnx"),
    }
    rows = {}
    for i, (name, write) in enumerate(made.items()):
        version = f"2.{i}"
        write(lab.root / "models" / version)
        shutil.copyfile(good / "replay.safetensors", lab.root / "models" / version / "replay.safetensors")
        lab.publish(version)
        robot = agent(home)
        found = robot.check()
        assert found is not None
        robot.download(found)
        robot.install(found)
        began = time.monotonic()
        folder_used = robot.start()
        seconds = time.monotonic() - began
        if found.id not in robot.status()["refused"]:  # on a busy machine it takes a second time to tell
            take_all(home)
        rows[name] = {
            "seconds": seconds,
            "good": not release.find(lab.image(), OLD).wrong(folder_used),
            "reason": robot.status()["refused"].get(found.id, ""),
        }
        progress(f"{name}: {rows[name]}")
    return {"bad": rows}


def take_all(home: Path) -> Path:
    """Checks, downloads, installs and starts what is assigned; the folder used."""
    robot = agent(home)
    found = robot.check()
    assert found is not None
    robot.download(found)
    robot.install(found)
    return robot.start()


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    """Of the samples by part."""
    tried = [row for sample in samples.values() for row in sample.get("attacks", {}).items()]
    cuts = [cut for sample in samples.values() for cut in sample.get("cuts", [])]
    unfit = [row for sample in samples.values() for row in sample.get("bad", {}).items()]
    accepted = [name for name, reason in tried if not reason]
    lost = [f"{cut['phase']}: {cut['line']}" for cut in cuts if not cut["good"]]
    back = [cut["seconds"] for cut in cuts if cut["rolled_back"]] + [row["seconds"] for _, row in unfit]
    stuck = [name for name, row in unfit if not row["good"] or not row["reason"]]

    def share(wrong: int, n: int) -> float:
        return (n - wrong) / n if n else float("nan")

    return [
        Figure("flywheel.attacks_refused", share(len(accepted), len(tried)), len(tried), ", ".join(accepted)),
        Figure("flywheel.attacks", len(tried), len(tried)),
        Figure("flywheel.power_cuts_recovered", share(len(lost), len(cuts)), len(cuts), "; ".join(lost)),
        Figure("flywheel.power_cuts", sum(cut["killed"] for cut in cuts), len(cuts)),
        Figure(
            "flywheel.power_cuts_went_through",
            share(sum(not cut["went_through"] for cut in cuts), len(cuts)),
            len(cuts),
        ),
        Figure("flywheel.bad_rolled_back", share(len(stuck), len(unfit)), len(unfit), ", ".join(stuck)),
        Figure("flywheel.rollback_s_max", max(back, default=float("nan")), len(back)),
    ]
