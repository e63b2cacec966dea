"""Who is alive: heartbeats against deadlines, deaths and restarts, and the degraded modes that follow.

Plain Python on the monotonic clock; the supervisor feeds it. A silence is counted while the supervisor
itself runs and hears: neither a machine that stood still nor a deaf supervisor is taken for the silence of
everybody. Nor does time count in which a node waited for a core: it is not stuck, and the drives watch over
late commands.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from neo_bringup.policy import Policy, Table
from neo_ros.silence import STEP, Silence

DEAF = 0.25  # s: the supervisor's own heartbeat was not heard for so long
SUSPECT = 0.3  # of the time after which a node counts as silent: from here on its process is looked at
ACTIVE = 3  # lifecycle_msgs/State
LIFECYCLE = ("unknown", "unconfigured", "inactive", "active", "finalized")


class Condition(IntEnum):
    """``neo_msgs/NodeLife``."""

    STARTING = 0
    WELL = 1
    SILENT = 2
    RESTARTING = 3
    GONE = 4


@dataclass
class Life:
    """What is known of one node. ``age``: s since it was last heard, ``None``: never; ``coming``: s since it
    was to start again.
    """

    name: str
    policy: Policy
    condition: Condition = Condition.STARTING
    lifecycle: int = 0
    age: float | None = None
    coming: float = 0.0
    restarts: int = 0
    detail: str = ""
    count: int = 0
    said: list[str] = field(default_factory=list)  # "mode: reason", its own words
    killed: bool = False
    waited: float | None = None  # s for a core, of its process so far; known while it is suspected

    @property
    def lost(self) -> bool:
        """Whether the robot does without it now."""
        return self.condition >= Condition.SILENT

    @property
    def why(self) -> str:
        """For people: ``camera is silent``."""
        words = self.detail or self.condition.name.lower()
        return f"{self.name} {words if words.startswith('died') else f'is {words}'}"


@dataclass(frozen=True)
class Beat:
    """A heartbeat of node ``name``, without the robot's namespace."""

    name: str
    count: int
    lifecycle: int
    degraded: tuple[str, ...] = ()


@dataclass
class News:
    """What a look found: nodes newly silent, nodes to kill, nodes that are back."""

    silent: list[Life] = field(default_factory=list)
    kill: list[Life] = field(default_factory=list)
    back: list[Life] = field(default_factory=list)


class Watchdog:
    """Watches the nodes ``names``. :meth:`heard` and :meth:`heard_itself` may come from any thread.

    ``waited``: s that the process of a node has waited for a core so far.
    """

    def __init__(self, names: Iterable[str], table: Table, waited: Callable[[str], float] = lambda name: 0.0):
        self._waited = waited
        self.lives = {name: Life(name, table.of(name)) for name in names}
        self._beats: deque[Beat] = deque()
        self._own = Silence()
        self._own_beats: deque[None] = deque()
        self._looked: float | None = None
        self.armed = False

    def heard(self, beat: Beat) -> None:
        """A heartbeat came."""
        self._beats.append(beat)

    def heard_itself(self) -> None:
        """The supervisor's own heartbeat came back: its ears are open."""
        self._own_beats.append(None)

    @property
    def unheard(self) -> list[str]:
        """Nodes that are listened to and were never heard: whether they hang nobody can say."""
        lives = self.lives.values()
        return [
            life.name for life in lives if life.policy.silent > 0.0 and life.age is None and not life.lost
        ]

    def arm(self) -> None:
        """From now on silence counts; before, nodes were starting."""
        self.armed = True
        for life in self.lives.values():
            life.age = None if life.age is None else 0.0

    def died(self, name: str, how: str, again: bool) -> None:
        """The process of ``name`` ended; ``again``: it will be started once more."""
        self._take_beats()
        if (life := self.lives.get(name)) is None:
            return
        life.condition = Condition.RESTARTING if again else Condition.GONE
        life.detail, life.age, life.lifecycle, life.coming = f"died: {how}", None, 0, 0.0
        life.restarts += again
        life.killed = False
        life.said.clear()

    def look(self, now: float) -> News:
        """At monotonic time ``now``; call it often."""
        news = News()
        passed = 0.0 if self._looked is None else min(max(now - self._looked, 0.0), STEP)
        self._looked = now
        while self._own_beats:
            self._own_beats.popleft()
            self._own.heard()
        deaf = self._own.look(now) > DEAF
        before = {name: life.lost for name, life in self.lives.items()}
        for life in self.lives.values():
            if not self.armed or deaf:
                continue
            if life.age is not None:
                life.age += passed - self._excused(life, passed)
            elif life.condition == Condition.RESTARTING:
                life.coming += passed
        self._take_beats()
        for life in self.lives.values():
            if before[life.name] and not life.lost:
                news.back.append(life)
            self._judge(life, news)
        return news

    def _excused(self, life: Life, passed: float) -> float:
        """Of ``passed`` s, how many a suspected node waited for a core."""
        if life.age is None or life.age < SUSPECT * life.policy.silent or life.condition == Condition.SILENT:
            life.waited = None
            return 0.0
        before, life.waited = life.waited, self._waited(life.name)
        return 0.0 if before is None else min(max(life.waited - before, 0.0), passed)

    def _judge(self, life: Life, news: News) -> None:
        policy, age = life.policy, life.age
        if policy.silent <= 0.0:
            return
        if life.condition == Condition.RESTARTING and life.coming > policy.start and not life.killed:
            life.killed = True
            news.kill.append(life)
        if age is None or age <= policy.silent or life.condition > Condition.SILENT:
            return
        if life.condition != Condition.SILENT:
            life.condition, life.detail = Condition.SILENT, "silent"
            news.silent.append(life)
        if 0.0 < policy.kill < age and not life.killed:
            life.killed = True
            news.kill.append(life)

    def _take_beats(self) -> None:
        while self._beats:
            beat = self._beats.popleft()
            life = self.lives.get(beat.name)
            if life is None or life.condition == Condition.GONE:
                continue
            late = life.count <= beat.count <= life.count + 2
            if life.condition == Condition.RESTARTING and late:  # sent by the process that died
                continue
            life.condition, life.detail, life.age = Condition.WELL, "", 0.0
            life.count, life.lifecycle, life.said = beat.count, beat.lifecycle, list(beat.degraded)

    def modes(self) -> dict[str, str]:
        """Degraded mode → why: of nodes that are lost, of nodes that are not active, and what nodes say."""
        found: dict[str, list[str]] = {}
        for life in self.lives.values():
            if life.lost:
                found.setdefault(life.policy.mode or f"no_{life.name}", []).append(life.why)
            elif 0 < life.lifecycle != ACTIVE:
                why = f"{life.name} is {LIFECYCLE[life.lifecycle]}"
                found.setdefault(life.policy.mode or f"no_{life.name}", []).append(why)
            for words in life.said:
                mode, _, reason = words.partition(": ")
                found.setdefault(mode, []).append(f"{life.name}: {reason}")
        return {mode: "; ".join(reasons) for mode, reasons in found.items()}
