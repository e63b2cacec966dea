"""The robot's side of a release: check, download, install, switch, first start, mark good or roll back.

    agent = Agent(home, may_switch=lambda: "" if robot_is_idle() and pose_is_safe() else "a task runs")
    offer = agent.check()          # what director and image repository agree on for this robot
    agent.download(offer)          # goes on where an earlier try ended
    agent.install(offer)           # into the slot that is not used, then the switch
    folder = agent.start()         # the first start: checked, marked good, or back to the other slot

Any of it may be cut off at any point; the next ``start`` comes up on a good model.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

from neo_description.errors import NeoError, RefusedError
from neo_flywheel import files
from neo_flywheel.update import agreement, clock, health, report
from neo_flywheel.update.manifest import Content, Release
from neo_flywheel.update.slots import Home, Slot, State
from neo_flywheel.update.source import Progress

DEATHS = 2  # first starts of a release that may end without a word; a power cut is not the model's fault
SPARE = 50e6  # bytes that stay free on the disk


class Agent:
    """The agent of the robot that lives in ``home``.

    ``may_switch`` says why the model must not be exchanged now; empty when the robot is idle in a safe pose.
    ``progress`` hears every step; ``now`` is the wall clock.
    """

    def __init__(
        self,
        home: Path,
        may_switch: Callable[[], str],
        progress: Progress = lambda line: None,
        now: Callable[[], datetime] = clock.utc_now,
    ):
        self.settings = agreement.of_home(home)
        self.home = Home(home)
        self._may_switch = may_switch
        self._progress = progress
        self._now = now
        self._agreement = agreement.Agreement(home, self.home.downloads, self.settings, progress, now)
        self._limits = health.Limits(self.settings.act_ms, self.settings.timeout)

    # --- what is offered

    def check(self) -> Release | None:
        """The release for this robot; None when it has it already, undamaged.

        RefusedError: it failed here before. Others: see :meth:`Agreement.release`.
        """
        with self._downloading():
            release = self._agreement.release()
        state = self.home.load()
        active = state.slot(state.active)
        same = active is not None and active.release.id == release.id
        if state.active and same and not release.wrong(self.home.folder(state.active)):
            return None
        if release.id in state.refused:
            raise RefusedError(f"{release.id} is not installed again: {state.refused[release.id]}")
        return release

    # --- how it comes here

    def download(self, release: Release) -> None:
        """Every file of ``release``, checked; NeoError when one does not come. None is fetched twice."""
        with self._downloading():
            self.home.downloads.mkdir(parents=True, exist_ok=True)
            self.home.clear_downloads(but={content.sha256 for content in release.files.values()})
            missing = [c for c in release.files.values() if not (self.home.downloads / c.sha256).exists()]
            free, need = shutil.disk_usage(self.home.root).free, sum(c.length for c in missing)
            if need + SPARE > free:
                raise NeoError(f"{release.id} needs {need / 1e6:.0f} MB; {free / 1e6:.0f} MB are free, "
                               f"of which {SPARE / 1e6:.0f} stay so")  # fmt: skip
            for name, content in release.files.items():
                if not self._from_slot(name, content):
                    self._agreement.fetch(release.path(name), content)

    def _from_slot(self, name: str, content: Content) -> bool:
        """Whether a slot has the same file; it is copied, not linked: what spoils one leaves the other."""
        to = self.home.downloads / content.sha256
        state = self.home.load()
        for slot, held in state.slots.items():
            if held and held.release.files.get(name) == content and not to.exists():
                new = to.with_name(f"{to.name}.part")
                shutil.copyfile(self.home.folder(slot) / name, new)
                files.sync_file(new)
                if content.holds(new):
                    new.replace(to)
                    files.sync_folder(to.parent)
                    return True
                new.unlink()
        return False

    # --- how it becomes the one that is used

    def install(self, release: Release) -> None:
        """Fills the slot that is not used, then switches to it: its first start is a trial.

        RefusedError: the robot is not idle in a safe pose, or a trial is not over; the slot stays filled.
        """
        with self._changing(), self._downloading():
            state = self.home.load()
            if state.trial:
                raise RefusedError("the installed release was not marked good yet; `neo update start` first")
            held = state.slots[state.other]
            if not held or held.release.id != release.id or held.release.wrong(self.home.folder(state.other)):
                self._progress(f"fill slot {state.other}")
                self.home.fill(state, state.other, release)
            if words := self._may_switch():
                raise RefusedError(f"{release.id} waits in slot {state.other}: {words}")
            self._progress(f"switch to slot {state.other}")
            state.active, state.trial, state.starts = state.other, True, 0
            state.note(self._now(), f"switched to {release.id} in slot {state.active}")
            self.home.save(state)
            self._progress(f"switched to slot {state.active}")

    def start(self, confirm: bool = True) -> Path:
        """The folder of the model to run, checked now; rolls back by itself when the active one is not fit.

        A trial that passes is marked good at once; with ``confirm`` off it stays one until :meth:`mark_good`,
        and the next start rolls back if that never came. NeoError: no slot holds a model that is fit.
        """
        with self._changing():
            state = self.home.load()
            if not state.active:
                raise NeoError("no model is installed; `neo update install` gets one")
            if state.trial and state.starts > 0:
                self._progress("the first start died")
                reason = "its first start died before it was marked good"
                if self._gives_up(state, reason):
                    return self._fall_back(state, reason)
            if state.trial:
                state.starts += 1
                self.home.save(state)
            self._progress(f"{'first ' if state.trial else ''}start of slot {state.active}")
            unfit, unsure = self._examined(state, state.active)
            if unfit:
                if state.trial:
                    state.refused[self._release(state).id] = unfit
                return self._fall_back(state, unfit)
            if state.trial and unsure:
                return self._not_told(state, unsure)
            if state.trial and confirm:
                self._mark_good(state)
            return self.home.folder(state.active)

    def _not_told(self, state: State, unsure: str) -> Path:
        """A trial that the machine had no time for: as if it had died, but the only model there is waits."""
        other = state.slots[state.other]
        if other and other.good:
            self._gives_up(state, unsure)
            return self._fall_back(state, unsure)
        state.starts = 0
        self.home.save(state)
        raise NeoError(f"{self._release(state).id} could not be examined, try again: {unsure}")

    def mark_good(self) -> None:
        """The active release did what it should; from now on it is what others roll back to."""
        with self._changing():
            self._mark_good(self.home.load())

    def roll_back(self, reason: str) -> Path:
        """To the other slot, because somebody says so; the release that was left is not installed again."""
        with self._changing():
            state = self.home.load()
            if words := self._may_switch():
                raise RefusedError(f"not now: {words}")
            other = state.slots[state.other]
            if not other or not other.good:
                raise RefusedError(f"slot {state.other} holds no good model to go back to")
            state.refused[self._release(state).id] = reason
            return self._fall_back(state, reason)

    def _release(self, state: State) -> Release:
        held = state.slot(state.active)
        if held is None:
            raise NeoError("no model is installed; `neo update install` gets one")
        return held.release

    def _mark_good(self, state: State) -> None:
        held = state.slot(state.active)
        if held is None or not state.trial:
            return
        self._progress(f"mark slot {state.active} good")
        held.good, state.trial, state.starts = True, False, 0
        state.died.pop(held.release.id, None)
        state.note(self._now(), f"{held.release.id} is good")
        self.home.save(state)
        self._progress(f"slot {state.active} is good")

    def _gives_up(self, state: State, reason: str) -> bool:
        """Counts a trial that ended without an answer; whether to go back."""
        release, other = self._release(state).id, state.slots[state.other]
        state.died[release] = state.died.get(release, 0) + 1
        if state.died[release] >= DEATHS:
            state.refused[release] = f"{reason}, {state.died[release]} times"
        return release in state.refused or bool(other and other.good)

    def _examined(self, state: State, slot: str) -> tuple[str, str]:
        """Why the model in ``slot`` must not act, and why nobody can tell; both empty when all is well.

        Of one that was good before, how fast it is and what the machine had no time for do not count.
        """
        held = state.slots[slot]
        if held is None:
            return f"slot {slot} is empty", ""
        if words := held.release.wrong(self.home.folder(slot)):
            return words, ""
        self._progress(f"examine slot {slot}")
        found = health.check(self.home.folder(slot), self._limits)
        self._progress(f"examined slot {slot}")
        if held.good and not state.trial:
            found = [finding for finding in found if finding.check not in ("latency", health.BUSY)]
        unsure = health.reason([finding for finding in found if finding.check == health.BUSY])
        return health.reason([finding for finding in found if finding.check != health.BUSY]), unsure

    def _fall_back(self, state: State, reason: str) -> Path:
        """To the other slot when it holds a good model that is whole, even if it is not fit today.

        NeoError when it is not, or when there is none: then none is active, unless the one left may still do.
        """
        left, back = self._release(state).id, state.other
        self._progress(f"roll back to slot {back}: {reason}")
        other: Slot | None = state.slots[back]
        if not other or not other.good or other.release.wrong(self.home.folder(back)):
            if state.trial and left in state.refused:
                state.active, state.trial, state.starts = None, False, 0
            state.note(self._now(), f"{left}: {reason}; slot {back} holds no good model")
            self.home.save(state)
            raise NeoError(f"no model is fit to act: {left}: {reason}; slot {back} holds no good model")
        state.active, state.trial, state.starts = back, False, 0
        state.note(self._now(), f"rolled back from {left} to {other.release.id}: {reason}")
        self.home.save(state)
        self._progress(f"rolled back to slot {back}")
        if unfit := self._examined(state, back)[0]:
            raise NeoError(f"no model is fit to act: {left}: {reason}; {other.release.id}: {unfit}")
        return self.home.folder(back)

    # --- what is said about it

    def status(self) -> dict[str, Any]:
        """What is installed, what was refused and why, as JSON has it."""
        state = self.home.load()
        return {
            "robot": self.settings.robot,
            "active": state.active,
            "trial": state.trial,
            "slots": {
                name: {"release": held.release.id, "good": held.good} if held else None
                for name, held in state.slots.items()
            },
            "refused": state.refused,
            "events": state.events,
        }

    def report(self, tasks: int = 0, errors: int = 0) -> dict[str, Any]:
        """For :mod:`rollout`: the release used, those refused, and what others counted in ``tasks``."""
        state = self.home.load()
        held = state.slot(state.active)
        return {
            "robot": self.settings.robot,
            "release": held.release.id if held else "",
            "good": bool(held and held.good and not state.trial),
            "refused": state.refused,
            "tasks": tasks,
            "errors": errors,
            "time": self._now().isoformat(timespec="seconds"),
        }

    def signed_report(self, tasks: int = 0, errors: int = 0) -> dict[str, Any]:
        """:meth:`report` as the fleet believes it: signed with the robot's own key."""
        return report.signed(report.own_key(self.home.root, self._now()), self.report(tasks, errors))

    def _downloading(self) -> AbstractContextManager[None]:
        return files.lock(self.home.downloads, "downloads")

    def _changing(self) -> AbstractContextManager[None]:
        return files.lock(self.home.root, "agent's home")
