"""The catalogue: one SQLite file in WAL mode that many processes read and write at once.

    with Catalogue(Path("runs/flywheel/catalogue.sqlite")) as catalogue:
        catalogue.add(Row(sha256=…, manifest=…, robot="neo1", prompt="…", kind="bag", time=…))
        rows = catalogue.find(Filters(robot="neo1", outcome="done"), limit=50)
        catalogue.add_product("run", "first", parents=[("dataset", "kitchen")])

Lineage: an episode is in datasets; a dataset → runs → evaluations → releases → robots.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from neo_description.errors import NeoError
from neo_flywheel.store import query
from neo_flywheel.store.migrations import MIGRATIONS
from neo_flywheel.store.query import Filters

WAITS = 30.0  # s for another process's write
PARENTS = {  # product → what it may be made from
    "dataset": ("dataset",),
    "run": ("dataset", "run"),
    "evaluation": ("run",),
    "release": ("evaluation", "run"),
    "robot": ("release",),
}
Name = tuple[str, str]  # kind, name


@dataclass(frozen=True)
class Row:
    """An episode. ``sha256`` of what was recorded; ``manifest``: the object that lists its files.

    ``time``: begin, s since the epoch; ``duration``: s; ``autonomy``: share of time a policy chose, 0 to 1;
    ``surprise``: the greatest, 0 to 1; None: not known. ``path``: where it was when it was added.
    """

    sha256: str
    manifest: str
    robot: str
    prompt: str
    kind: str
    time: float
    outcome: str = ""
    duration: float = 0.0
    messages: int = 0
    size: int = 0
    autonomy: float | None = None
    surprise: float | None = None
    path: str = ""
    tags: tuple[str, ...] = ()
    added: float = 0.0
    id: int = 0


class Catalogue:
    """NeoError when ``file`` is no catalogue, or of a newer version of this software."""

    def __init__(self, file: Path):
        self.file = file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(file, timeout=WAITS, isolation_level=None)
            self._begin_wal()
            self._db.execute("PRAGMA foreign_keys = ON")
            self._db.execute("PRAGMA cache_size = -65536")  # KiB
            self._migrate()
        except (OSError, sqlite3.Error) as error:
            raise NeoError(f"cannot open the catalogue {file}: {error}") from None

    def __enter__(self) -> Catalogue:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    @property
    def version(self) -> int:
        """Migrations done."""
        return self._db.execute("PRAGMA user_version").fetchone()[0]

    def add(self, row: Row) -> tuple[int, bool]:
        """The episode's id, and whether it is new: one with its ``sha256`` stays as it is."""
        return self.add_many([row])[0]

    def add_many(self, rows: Iterable[Row]) -> list[tuple[int, bool]]:
        """:meth:`add` of each, all or none."""
        with self._writing():
            return [self._insert(row) for row in rows]

    def find(self, filters: Filters = Filters(), limit: int = 50) -> list[Row]:  # noqa: B008
        """The newest ``limit`` episodes that match, newest first."""
        return self._rows(query.find(self._db, filters, limit))

    def get(self, name: str) -> Row:
        """The episode with an id, or with a ``sha256`` that begins so (four digits or more)."""
        if name.isdigit() and len(name) < 12:
            rows = self._rows([int(name)])
        else:
            if len(name) < 4 or set(name) - set("0123456789abcdef"):
                raise NeoError(f"episode {name!r}; its number, or four or more digits of its sha256")
            text = "SELECT id FROM episodes WHERE sha256 >= ? AND sha256 < ? LIMIT 2"
            rows = self._rows([row[0] for row in self._db.execute(text, (name, name + "g"))])
        if len(rows) != 1:
            raise NeoError(f"{'no episode' if not rows else 'more than one episode'} {name} in {self.file}")
        return rows[0]

    def by_digest(self, sha256: str) -> Row | None:
        """The episode with this ``sha256``."""
        found = self._db.execute("SELECT id FROM episodes WHERE sha256 = ?", (sha256,)).fetchone()
        return self._rows([found[0]])[0] if found else None

    def tag(self, episode: int, tags: Iterable[str]) -> None:
        """Puts tags on an episode; those it has stay."""
        with self._writing():
            self._tag(episode, tags)

    def count(self) -> dict[str, int]:
        """Rows: episodes, quarantined bags, products of each kind."""
        one = {name: self._db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
               for name in ("episodes", "quarantine")}  # fmt: skip
        kinds = self._db.execute("SELECT kind, count(*) FROM products GROUP BY kind ORDER BY kind")
        return one | {row[0]: row[1] for row in kinds}

    def quarantine(self, sha256: str, path: str, folder: str, reason: str) -> bool:
        """Keeps why a bag was not taken; False when this was known."""
        with self._writing():
            text = "INSERT INTO quarantine VALUES (NULL, ?, ?, ?, ?, ?) ON CONFLICT (sha256) DO NOTHING"
            return self._db.execute(text, (sha256, path, folder, reason, time.time())).rowcount == 1

    def quarantined(self, sha256: str = "") -> list[dict[str, Any]]:
        """Rows of bags that were not taken, newest first; of one when ``sha256`` is given."""
        text = "SELECT sha256, path, folder, reason, time FROM quarantine WHERE ? IN ('', sha256)"
        names = ("sha256", "path", "folder", "reason", "time")
        rows = self._db.execute(f"{text} ORDER BY time DESC, id DESC", (sha256,))
        return [dict(zip(names, row, strict=True)) for row in rows]

    def add_product(
        self,
        kind: str,
        name: str,
        parents: Sequence[Name] = (),
        episodes: Sequence[int] = (),
        about: dict[str, Any] | None = None,
    ) -> bool:
        """A dataset, run, evaluation, release or robot, and what it was made from; False: it was there.

        One that is there gets the new parents and episodes besides its own, ``about`` where it is given.
        NeoError when a parent is not there or of a kind that it cannot be made from.
        """
        if kind not in PARENTS or not name:
            raise NeoError(f"product {kind!r} {name!r}; a name and one of {', '.join(PARENTS)}")
        if episodes and kind != "dataset":
            raise NeoError(f"a {kind} is not made from episodes but from {', '.join(PARENTS[kind])}")
        with self._writing():
            text = "INSERT INTO products VALUES (NULL, ?, ?, ?, ?) ON CONFLICT (kind, name) DO NOTHING"
            given = (kind, name, time.time(), json.dumps(about or {}, sort_keys=True))
            new = self._db.execute(text, given).rowcount == 1
            number = self._product(kind, name)
            if about and not new:
                self._db.execute("UPDATE products SET about = ? WHERE id = ?", (given[3], number))
            for parent in parents:
                if parent[0] not in PARENTS[kind]:
                    raise NeoError(f"a {kind} from a {parent[0]}; it is made from {', '.join(PARENTS[kind])}")
                row = (number, self._product(*parent), time.time())
                self._db.execute("INSERT OR IGNORE INTO made_from VALUES (?, ?, ?)", row)
            rows = [(number, episode) for episode in episodes]
            self._db.executemany("INSERT OR IGNORE INTO dataset_episodes VALUES (?, ?)", rows)
        return new

    def products(self, kind: str = "") -> list[dict[str, Any]]:
        """kind, name, made (s since the epoch), about; newest first."""
        text = (
            "SELECT kind, name, made, about FROM products WHERE ? IN ('', kind) ORDER BY made DESC, id DESC"
        )
        return [
            {"kind": row[0], "name": row[1], "made": row[2], "about": json.loads(row[3])}
            for row in self._db.execute(text, (kind,))
        ]

    def made_from(self, kind: str, name: str) -> list[Name]:
        """Everything that a product was made from, nearest first."""
        return self._lineage("m.parent", "m.product", [self._product(kind, name)])

    def led_to(self, kind: str, name: str) -> list[Name]:
        """Everything that was made from a product, nearest first."""
        return self._lineage("m.product", "m.parent", [self._product(kind, name)])

    def episode_led_to(self, episode: int) -> list[Name]:
        """The datasets an episode is in, and all that was made from them."""
        text = "SELECT p.id, p.kind, p.name FROM dataset_episodes d JOIN products p ON p.id = d.dataset"
        rows = self._db.execute(f"{text} WHERE d.episode = ? ORDER BY p.id", (episode,)).fetchall()
        inside = [(row[1], row[2]) for row in rows]
        return [*inside, *self._lineage("m.product", "m.parent", [row[0] for row in rows])]

    def _lineage(self, to: str, by: str, start: list[int]) -> list[Name]:
        text = (
            "WITH RECURSIVE line(id, far) AS (SELECT value, 0 FROM json_each(?) UNION "
            f"SELECT {to}, line.far + 1 FROM made_from m JOIN line ON {by} = line.id WHERE line.far < 100) "
            "SELECT p.kind, p.name FROM line JOIN products p ON p.id = line.id WHERE line.far > 0 "
            "GROUP BY p.id ORDER BY min(line.far), p.id"
        )
        return [(row[0], row[1]) for row in self._db.execute(text, (json.dumps(start),))]

    def _product(self, kind: str, name: str) -> int:
        text = "SELECT id FROM products WHERE kind = ? AND name = ?"
        row = self._db.execute(text, (kind, name)).fetchone()
        if row is None:
            raise NeoError(f"no {kind} {name!r} in {self.file}")
        return row[0]

    def _insert(self, row: Row) -> tuple[int, bool]:
        self._db.execute("INSERT OR IGNORE INTO prompts (text) VALUES (?)", (row.prompt,))
        given = asdict(row) | {"added": row.added or time.time()}
        done = self._db.execute(
            "INSERT INTO episodes (sha256, manifest, robot, prompt, kind, outcome, time, duration, messages, "
            "size, autonomy, surprise, path, added) VALUES (:sha256, :manifest, :robot, "
            "(SELECT id FROM prompts WHERE text = :prompt), :kind, :outcome, :time, :duration, :messages, "
            ":size, :autonomy, :surprise, :path, :added) ON CONFLICT (sha256) DO NOTHING",
            given,
        )
        if done.rowcount == 0:
            text = "SELECT id FROM episodes WHERE sha256 = ?"
            return self._db.execute(text, (row.sha256,)).fetchone()[0], False
        number = done.lastrowid or 0
        self._tag(number, row.tags)
        return number, True

    def _tag(self, episode: int, tags: Iterable[str]) -> None:
        text = "INSERT OR IGNORE INTO tags SELECT ?, time, id FROM episodes WHERE id = ?"
        self._db.executemany(text, [(tag, episode) for tag in tags])

    def _rows(self, ids: list[int]) -> list[Row]:
        text = (
            "SELECT e.id, e.sha256, e.manifest, e.robot, p.text, e.kind, e.outcome, e.time, e.duration, "
            "e.messages, e.size, e.autonomy, e.surprise, e.path, e.added, "
            "(SELECT json_group_array(tag) FROM tags t WHERE t.episode = e.id) "
            "FROM json_each(?) j JOIN episodes e ON e.id = j.value JOIN prompts p ON p.id = e.prompt "
            "ORDER BY j.key"
        )
        names = ("id", "sha256", "manifest", "robot", "prompt", "kind", "outcome", "time", "duration",
                 "messages", "size", "autonomy", "surprise", "path", "added")  # fmt: skip
        return [
            Row(**dict(zip(names, row, strict=False)), tags=tuple(sorted(json.loads(row[-1]))))
            for row in self._db.execute(text, (json.dumps(ids),))
        ]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction; waits for other processes before it reads anything."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise NeoError(f"cannot write to the catalogue {self.file}: {error}") from None

    def _begin_wal(self) -> None:
        """Waits for another process that begins the same file: SQLite itself does not, here."""
        deadline = time.monotonic() + WAITS
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def _migrate(self) -> None:
        if self.version == len(MIGRATIONS):
            return
        if self.version > len(MIGRATIONS):
            raise NeoError(
                f"the catalogue {self.file} is of version {self.version}; this software knows versions up to "
                f"{len(MIGRATIONS)}: update it"
            )
        with self._writing():
            for number in range(self.version, len(MIGRATIONS)):  # again, now that nobody else writes
                for statement in MIGRATIONS[number]:
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {number + 1}")
