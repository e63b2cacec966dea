"""Who chose what the robot does, from what the graph says; a bag holds it as notes.

A note is a ``diagnostic_msgs/msg/KeyValue`` on ``recorder/notes``, written when something changes and once at
the start: ``provenance`` (policy, teacher, teleop, safety or none, as in ``neo_world_model.modalities``),
``prompt``, ``outcome`` (``REASON: sentence``, ``done`` when it succeeded) and ``trigger``. It holds until the
next with its key.
"""

from __future__ import annotations

from collections import defaultdict

from neo_flywheel import cdr

NOTES = "recorder/notes"
NOTE_TYPE = "diagnostic_msgs/msg/KeyValue"
PLANNERS = {"world_model": "policy", "scripted": "teacher", "privileged_scripted": "teacher"}


class Provenance:
    """``label`` follows from three things heard: the safety state, the running task, the operator's clutch.

    Safety wins: while it is not ACTIVE nobody else moves the robot. Then an operator who is engaged, even
    while a task runs: that is an intervention. Then the task's planner. Who commands without saying so, as a
    script does, counts as ``none``.
    """

    def __init__(self) -> None:
        self.task = ""  # provenance of the running task; empty: none runs
        self._active: bool | None = None
        self._engaged = False

    def safety(self, active: bool) -> None:
        """What ``safety/state`` says: whether the body follows commands."""
        self._active = active

    def begins(self, planner: str) -> None:
        """A goal of ``do_task`` was accepted, with this planner."""
        self.task = PLANNERS.get(planner, "none")

    def ends(self) -> None:
        """The goal is done, failed or cancelled."""
        self.task = ""

    def operator(self, engaged: bool) -> None:
        """What ``teleop/engaged`` says: whether a person's hands are the robot's."""
        self._engaged = engaged

    @property
    def label(self) -> str:
        """Who chooses now."""
        if self._active is None:
            return "none"
        if not self._active:
            return "safety"
        if self._engaged:
            return "teleop"
        return self.task or "none"

    @property
    def intervention(self) -> bool:
        """Whether a person acts while a task runs."""
        return bool(self.task) and self.label == "teleop"


class Shares:
    """How long each provenance held, from the notes of a bag."""

    def __init__(self) -> None:
        self._ns: dict[str, int] = defaultdict(int)
        self._label, self._since = "", 0

    def note(self, time_ns: int, message: bytes) -> None:
        """The next note in the order of time, serialised; other keys do not matter here."""
        key, value = cdr.key_value(message)
        if key != "provenance":
            return
        self._close(time_ns)
        self._label, self._since = value, time_ns

    def _close(self, time_ns: int) -> None:
        if self._label:
            self._ns[self._label] += max(0, time_ns - self._since)

    def custom(self, end_ns: int) -> dict[str, str]:
        """For the bag's metadata: ``autonomy``, the share of time in which a policy chose, and all shares."""
        self._close(end_ns)
        self._since = max(self._since, end_ns)
        whole = sum(self._ns.values())
        if not whole:
            return {}
        longest = sorted(self._ns, key=lambda name: (-self._ns[name], name))
        shares = {name: self._ns[name] / whole for name in longest}
        return {
            "autonomy": f"{shares.get('policy', 0.0):.4f}",
            "provenance": ", ".join(f"{name} {share:.4f}" for name, share in shares.items()),
        }
