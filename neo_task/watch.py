"""What the task room last heard, put together into one observation, and refused when it is old."""

from __future__ import annotations

from neo_description.heard import Heard
from neo_description.signals import Scene
from neo_task.planner import Observation


class Watch(Heard):
    """Latest values by topic; :meth:`observation` says what is missing instead of guessing."""

    def __init__(self) -> None:
        super().__init__()
        self.privileged = False
        self._scene: Scene | None = None

    def begun_anew(self) -> None:
        self._scene = None

    def on_scene(self, scene: Scene) -> None:
        """What perception sees, or, for the teacher, the truth."""
        self._scene = scene

    def blind(self, patience: float) -> str:
        """Why nothing is known of the things around: nothing seen for ``patience`` s; else empty."""
        if self._joints is None or self._since is None:
            return ""
        last = self._since if self._scene is None else self._scene.time
        age = self._joints[0] - last
        return f"perception has seen nothing for {age:.1f} s" if age > patience else ""

    @property
    def ever_seen(self) -> bool:
        """Whether perception said anything yet."""
        return self._scene is not None

    def observation(self) -> Observation | str:
        """The world at the last joint reading, or what is missing or too old."""
        estimate = self.estimate()
        if isinstance(estimate, str):
            return estimate
        return Observation(estimate.time, estimate, self.hands(), self._scene)
