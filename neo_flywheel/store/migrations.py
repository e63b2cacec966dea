"""The catalogue's tables, version by version. What was released never changes: a new one is appended."""

from __future__ import annotations

_FILTERED = ("time", "robot", "kind", "outcome", "prompt", "autonomy", "surprise")


def _index(first: str) -> str:
    """In order of ``first``, then of time, with every column that is filtered by."""
    columns = dict.fromkeys([first, *_FILTERED])
    return f"CREATE INDEX episodes_{first} ON episodes ({', '.join(columns)})"


MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE prompts (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)",
        """CREATE TABLE episodes (
            id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, manifest TEXT NOT NULL, robot TEXT NOT NULL,
            prompt INTEGER NOT NULL REFERENCES prompts, kind TEXT NOT NULL, outcome TEXT NOT NULL,
            time REAL NOT NULL, duration REAL NOT NULL, messages INTEGER NOT NULL, size INTEGER NOT NULL,
            autonomy REAL, surprise REAL, path TEXT NOT NULL, added REAL NOT NULL)""",
        *(_index(name) for name in ("time", "robot", "kind", "outcome", "prompt")),
        "CREATE INDEX episodes_autonomy ON episodes (autonomy, time)",
        "CREATE INDEX episodes_surprise ON episodes (surprise, time)",
        """CREATE TABLE tags (tag TEXT NOT NULL, time REAL NOT NULL,
            episode INTEGER NOT NULL REFERENCES episodes ON DELETE CASCADE,
            PRIMARY KEY (tag, time, episode)) WITHOUT ROWID""",
        "CREATE INDEX tags_episode ON tags (episode)",
        """CREATE TABLE products (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL,
            made REAL NOT NULL, about TEXT NOT NULL, UNIQUE (kind, name))""",
        """CREATE TABLE made_from (product INTEGER NOT NULL REFERENCES products,
            parent INTEGER NOT NULL REFERENCES products, time REAL NOT NULL,
            PRIMARY KEY (product, parent)) WITHOUT ROWID""",
        "CREATE INDEX made_from_parent ON made_from (parent)",
        """CREATE TABLE dataset_episodes (dataset INTEGER NOT NULL REFERENCES products,
            episode INTEGER NOT NULL REFERENCES episodes, PRIMARY KEY (dataset, episode)) WITHOUT ROWID""",
        "CREATE INDEX dataset_episodes_episode ON dataset_episodes (episode)",
        """CREATE TABLE quarantine (id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, path TEXT NOT NULL,
            folder TEXT NOT NULL, reason TEXT NOT NULL, time REAL NOT NULL)""",
    ),
)
