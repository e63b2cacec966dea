"""The catalogue: filters find what a look at every row finds; processes write at once; versions move on."""

import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from neo_description.errors import NeoError
from neo_flywheel.store import catalogue as module
from neo_flywheel.store import query
from neo_flywheel.store.catalogue import Catalogue, Row
from neo_flywheel.store.query import Filters

ROOT = Path(__file__).parents[2]
THINGS = ("cup", "red bottle", "50% cloth", "50 cloths")


def row(number, **about):
    return Row(**{"sha256": f"{number:064x}", "manifest": "0" * 64, "robot": "neo1", "prompt": "wave",
                  "kind": "bag", "time": 1e9 + number, **about})  # fmt: skip


@pytest.fixture
def catalogue(tmp_path):
    with Catalogue(tmp_path / "catalogue.sqlite") as opened:
        yield opened


@pytest.fixture(scope="module")
def rows():
    r = random.Random(3)
    return [
        row(
            i, robot=f"neo{r.randrange(5)}", prompt=f"take the {r.choice(THINGS)}",
            kind=r.choice(["bag", "clip", "lerobot"]), outcome=r.choice(["done", "failed", ""]),
            autonomy=r.choice([None, r.random()]), surprise=r.choice([None, r.random()]),
            tags=tuple(sorted({r.choice("abc"), r.choice("abc")})), path=f"/runs/{i}", duration=1.5,
        )
        for i in r.sample(range(3000), 3000)
    ]  # fmt: skip


FILTERS = [
    Filters(),
    Filters(robot="neo3"),
    Filters(prompt="BOTTLE"),
    Filters(prompt="50%"),
    Filters(prompt="take"),
    Filters(outcome="", kind="clip"),
    Filters(since=1e9 + 500, until=1e9 + 520),
    Filters(autonomy=(0.9, None)),
    Filters(surprise=(None, 0.05), robot="neo1"),
    Filters(autonomy=(0.2, 0.8), surprise=(0.2, 0.8), tags=("a",)),
    Filters(tags=("a", "b")),
    Filters(tags=("neo1",), robot="neo1"),
    Filters(robot="neo1", tags=("c",), kind="bag", outcome="done", prompt="cup", since=1e9 + 100),
    Filters(robot="nobody"),
    Filters(dataset="even"),
    Filters(dataset="even", tags=("a",), robot="neo2"),
    Filters(dataset="nothing"),
]


def plain(rows, want):
    """What ``want`` means, told by looking at each row."""

    def matches(row):
        for name in ("robot", "kind", "outcome"):
            if getattr(want, name) is not None and getattr(row, name) != getattr(want, name):
                return False
        for name in ("autonomy", "surprise"):
            value, (low, high) = getattr(row, name), getattr(want, name)
            if (low is not None or high is not None) and value is None:
                return False
            if (low is not None and value < low) or (high is not None and value > high):
                return False
        return (
            (want.prompt or "").lower() in row.prompt.lower()
            and (want.since or 0) <= row.time <= (want.until or 1e10)
            and set(want.tags) <= set(row.tags)
            and (want.dataset is None or (want.dataset == "even" and row.time % 2 == 0))
        )

    return sorted((r for r in rows if matches(r)), key=lambda r: -r.time)


@pytest.mark.parametrize("probe", [5, 100, 5000])
def test_filters_find_the_newest_of_what_a_look_at_every_row_finds(tmp_path, rows, monkeypatch, probe):
    monkeypatch.setattr(query, "PROBE", probe)  # which index leads depends on it; what is found never does
    with Catalogue(tmp_path / "c.sqlite") as catalogue:
        ids = catalogue.add_many(rows)
        even = [number for (number, _), r in zip(ids, rows, strict=True) if r.time % 2 == 0]
        catalogue.add_product("dataset", "even", episodes=even)
        empty = 0
        for want in FILTERS:
            for limit in (7, 5000):
                found = catalogue.find(want, limit)
                wanted = plain(rows, want)[:limit]
                assert [r.sha256 for r in found] == [r.sha256 for r in wanted], want
            empty += not wanted
        assert empty == 3


def test_no_filter_walks_through_rows_that_an_index_could_pass_over(catalogue, rows):
    """A scan of the table would be slow in silence."""
    catalogue.add_many(rows)
    plans = []
    catalogue._db.set_trace_callback(lambda text: plans.append(text) if "ORDER BY" in text else None)
    for want in FILTERS:
        query.find(catalogue._db, want, 10)
    catalogue._db.set_trace_callback(None)
    assert len(plans) == len(FILTERS)
    for text in plans:
        steps = [step[3] for step in catalogue._db.execute(f"EXPLAIN QUERY PLAN {text}")]
        walked = [
            s
            for s in steps
            if s.startswith("SCAN") and not s.startswith(("SCAN e USING COVERING INDEX", "SCAN prompts"))
        ]
        assert walked == [], (text, steps)


def test_a_row_comes_back_as_it_was_added_and_is_found_by_its_digest(catalogue, rows):
    number, new = catalogue.add(rows[0])
    found = catalogue.get(str(number))
    assert new
    assert found == Row(**{**rows[0].__dict__, "id": number, "added": found.added})
    assert catalogue.get(rows[0].sha256) == catalogue.by_digest(rows[0].sha256) == found
    for name, said in (
        ("999", "no episode 999"),
        ("abcd", "no episode abcd"),
        ("x'; --", "four or more digits"),
    ):
        with pytest.raises(NeoError, match=said):
            catalogue.get(name)
    catalogue.add(rows[1])
    with pytest.raises(NeoError, match="more than one episode"):
        catalogue.get("0" * 30)


def test_the_same_digest_twice_is_one_row_and_the_first_stays(catalogue):
    first = catalogue.add(row(1, robot="neo1", tags=("a",)))
    assert catalogue.add(row(1, robot="neo2", tags=("b",))) == (first[0], False)
    assert (catalogue.find()[0].robot, catalogue.find()[0].tags) == ("neo1", ("a",))
    catalogue.tag(first[0], ["b", "a"])
    assert catalogue.find()[0].tags == ("a", "b")


def test_lineage_leads_from_an_episode_to_robots_and_back(catalogue):
    number, _ = catalogue.add(row(1))
    catalogue.add_product("dataset", "kitchen", episodes=[number])
    catalogue.add_product("dataset", "other")
    catalogue.add_product("run", "first", parents=[("dataset", "kitchen")], about={"steps": 500})
    catalogue.add_product("run", "second", parents=[("run", "first"), ("dataset", "other")])
    catalogue.add_product("evaluation", "second/held-out", parents=[("run", "second")])
    catalogue.add_product("release", "0.2", parents=[("evaluation", "second/held-out")])
    catalogue.add_product("robot", "neo1", parents=[("release", "0.2")])
    line = [("dataset", "kitchen"), ("run", "first"), ("run", "second"), ("evaluation", "second/held-out"),
            ("release", "0.2"), ("robot", "neo1")]  # fmt: skip
    assert catalogue.episode_led_to(number) == line
    assert catalogue.led_to("run", "second") == line[3:]
    assert set(catalogue.made_from("robot", "neo1")) == {*line[:-1], ("dataset", "other")}
    assert catalogue.made_from("robot", "neo1")[0] == ("release", "0.2")
    assert [p["about"] for p in catalogue.products("run")] == [{}, {"steps": 500}]
    assert catalogue.count() == {"episodes": 1, "quarantine": 0, "dataset": 2, "run": 2, "evaluation": 1,
                                 "release": 1, "robot": 1}  # fmt: skip


def test_lineage_that_cannot_be_is_refused_and_leaves_nothing(catalogue):
    catalogue.add_product("run", "first")
    for kind, parents, said in (
        ("release", [("run", "nope")], "no run 'nope'"),
        ("robot", [("run", "first")], "a robot from a run; it is made from release"),
        ("thing", [], "one of dataset, run, evaluation, release, robot"),
    ):
        with pytest.raises(NeoError, match=said):
            catalogue.add_product(kind, "x", parents)
    with pytest.raises(NeoError, match="a run is not made from episodes"):
        catalogue.add_product("run", "x", episodes=[1])
    assert [p["name"] for p in catalogue.products()] == ["first"]
    with pytest.raises(NeoError, match="FOREIGN KEY"):
        catalogue.add_product("dataset", "x", episodes=[77])
    assert catalogue.count().get("dataset") is None


def test_a_range_that_is_upside_down_is_refused():
    with pytest.raises(NeoError, match=r"surprise from 0\.9 to 0\.1"):
        Filters(surprise=(0.9, 0.1))


WRITER = """
import sys
from pathlib import Path
from neo_flywheel.store.catalogue import Catalogue, Row
with Catalogue(Path(sys.argv[1])) as catalogue:
    for i in range(60):
        own = Row(f"{int(sys.argv[2]) * 1000 + i:064x}", "0" * 64, "neo1", f"p{i}", "bag", float(i))
        shared = Row(f"{900000 + i:064x}", "0" * 64, "neo1", f"p{i}", "bag", float(i))
        catalogue.add(own), catalogue.add(shared), catalogue.find()
"""


def test_processes_begin_and_fill_one_catalogue_at_once(tmp_path):
    file = tmp_path / "catalogue.sqlite"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(file), str(k)], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        for k in range(4)
    ]
    for writer in writers:
        _, said = writer.communicate(timeout=120)
        assert writer.returncode == 0, said
    with Catalogue(file) as catalogue:
        assert catalogue.count()["episodes"] == 4 * 60 + 60
        assert catalogue._db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_an_older_catalogue_is_brought_up_to_date_and_a_newer_one_refused(tmp_path, monkeypatch):
    file = tmp_path / "catalogue.sqlite"
    with Catalogue(file) as old:
        number, _ = old.add(row(1))
    newer = (*module.MIGRATIONS, ("ALTER TABLE episodes ADD COLUMN note TEXT NOT NULL DEFAULT 'x'",))
    with monkeypatch.context() as patch:
        patch.setattr(module, "MIGRATIONS", newer)
        with Catalogue(file) as moved:
            assert (moved.version, moved.get(str(number)).robot) == (len(newer), "neo1")
            assert moved._db.execute("SELECT note FROM episodes").fetchall() == [("x",)]
    with pytest.raises(NeoError, match=f"is of version {len(newer)}; this software knows versions up to"):
        Catalogue(file)


def test_a_migration_that_fails_leaves_the_catalogue_as_it_was(tmp_path, monkeypatch):
    file = tmp_path / "catalogue.sqlite"
    Catalogue(file).close()
    broken = (*module.MIGRATIONS, ("CREATE TABLE half (id)", "CREATE TABLE nonsense"))
    with monkeypatch.context() as patch:
        patch.setattr(module, "MIGRATIONS", broken)
        with pytest.raises(NeoError, match="cannot write to the catalogue"):
            Catalogue(file)
    tables = [
        t for (t,) in sqlite3.connect(file).execute("SELECT name FROM sqlite_master WHERE name = 'half'")
    ]
    assert tables == []
    Catalogue(file).close()


def test_what_is_no_catalogue_is_refused(tmp_path):
    (tmp_path / "file").write_text("hello" * 1000)
    with pytest.raises(NeoError, match="cannot open the catalogue"):
        Catalogue(tmp_path / "file")
