"""Pre-trigger: the last seconds are always in memory, and a trigger makes a clip of them and what follows.

    ring = PreTrigger(begin, before=30.0, after=10.0, max_bytes=256_000_000)
    ring.write(topic, cdr, time_ns)        # every message
    ring.trigger("surprise", time_ns)      # the clip begins 30 s before it

Nothing is written at once: while a clip is open the ring is a queue, and each message that comes in moves
some old ones to the disk. So a trigger holds nobody up, and costs no second thread. What a ``kill -9`` takes
is what still stands in the queue, at most ``before`` seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from neo_description.errors import NeoError
from neo_flywheel import cdr as codec
from neo_flywheel.provenance import NOTES
from neo_flywheel.recorder import Recorder

DRAIN = 8  # messages to the disk for each that comes in
OVERHEAD = 150  # bytes of memory that a message costs beside its own
STATIC = "/tf_static"  # each of its messages holds on, not only the last


class _Held(NamedTuple):
    time_ns: int
    topic: str
    cdr: bytes
    key: bool


class PreTrigger:
    """``begin(reason)`` opens a clip's recorder; NeoErrors of it end in :attr:`why` and the ring goes on.

    ``before``, ``after``: s round a trigger; ``longest``: s of a clip that is triggered again and again;
    ``max_bytes`` of memory: where the last ``before`` seconds take more, less is kept. ``latched``: topics
    whose last message every clip begins with.
    """

    def __init__(
        self, begin: Callable[[str], Recorder], before: float, after: float, max_bytes: int,
        longest: float = 300.0, latched: frozenset[str] = frozenset(),
    ):  # fmt: skip
        if max_bytes < 1 or before <= 0.0 or not 0.0 <= after <= longest:
            raise NeoError(
                f"before {before} s, after {after} s, longest {longest} s, max_bytes {max_bytes}; before and "
                "max_bytes are above 0, after is 0 to longest"
            )
        self._begin = begin
        self._before, self._after, self._longest = (round(s * 1e9) for s in (before, after, longest))
        self._max_bytes = max_bytes
        self._latched = latched
        self._held: deque[_Held] = deque()
        self._kept: dict[tuple[str, str | bytes], bytes] = {}
        self._clip: Recorder | None = None
        self._began_ns = self._end_ns = 0
        self._shown: set[str] = set()  # videos of which the clip has a key picture
        self.bytes = 0
        self.clips = 0
        self.why = ""

    @property
    def recording(self) -> bool:
        """Whether a clip is open."""
        return self._clip is not None

    @property
    def seconds(self) -> float:
        """How much is in memory."""
        return 1e-9 * (self._held[-1].time_ns - self._held[0].time_ns) if self._held else 0.0

    def write(self, topic: str, cdr: bytes, time_ns: int, key: bool = True) -> None:
        """The next message. ``key``: it can be read without the ones before (false within a video)."""
        self._held.append(_Held(time_ns, topic, cdr, key))
        self.bytes += len(cdr) + OVERHEAD
        if self._clip is not None:
            self._drain(DRAIN)
            while self._clip is not None and self.bytes > self._max_bytes:
                self._drain(1)
        oldest = time_ns - self._before
        while self._clip is None and self._held and (
            self._held[0].time_ns < oldest or self.bytes > self._max_bytes
        ):  # fmt: skip
            self._pop()

    def trigger(self, reason: str, time_ns: int) -> None:
        """Opens a clip, or lets the one that is open go on for longer."""
        if self._clip is not None:
            self._end_ns = min(time_ns + self._after, self._began_ns + self._longest)
            return
        try:
            self._clip = self._begin(reason)
        except NeoError as error:
            self.why = str(error)
            return
        self.clips += 1
        self._shown.clear()
        self._began_ns = self._held[0].time_ns if self._held else time_ns
        self._end_ns = time_ns + self._after
        for (topic, _), cdr in self._kept.items():
            self._clip.write(topic, cdr, self._began_ns)

    def close(self) -> None:
        """Writes what belongs to the open clip and finishes it."""
        while self._clip is not None and self._held:
            self._drain(len(self._held))
        self._finish()

    def _drain(self, count: int) -> None:
        for _ in range(min(count, len(self._held))):
            clip = self._clip
            if clip is None:
                return
            if self._held[0].time_ns > self._end_ns:
                self._finish()
                return
            held = self._pop()
            if held.key:
                self._shown.add(held.topic)
            if held.key or held.topic in self._shown:
                clip.write(held.topic, held.cdr, held.time_ns)
            if not clip.recording:
                self._finish()

    def _finish(self) -> None:
        clip, self._clip = self._clip, None
        if clip is not None:
            clip.close()
            self.why = clip.why_stopped

    def _pop(self) -> _Held:
        held = self._held.popleft()
        self.bytes -= len(held.cdr) + OVERHEAD
        if held.topic.endswith(NOTES):
            self._kept[held.topic, codec.key_value(held.cdr)[0]] = held.cdr
        elif held.topic in self._latched:
            self._kept[held.topic, held.cdr if held.topic == STATIC else ""] = held.cdr
        return held
