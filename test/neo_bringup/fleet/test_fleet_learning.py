"""From a fleet's settings to a round of learning; and once the real thing, as small as it can be."""

import fleet_stand_ins as stand_ins
import pytest

from neo_bringup import cli
from neo_bringup.fleet import held_out, learning, robot, rows
from neo_bringup.fleet.settings import Place, Settings
from neo_bringup.flywheel_bench import bags
from neo_bringup.learning import round as rounds
from neo_flywheel import files
from neo_flywheel.store import episode_bag
from neo_flywheel.store.library import Library


def test_with_too_little_to_learn_from_a_round_is_refused(tmp_path):
    with Library(tmp_path / "library") as library:
        library.add_bag(bags.made(tmp_path / "bag"))
        made = learning.learn(library, tmp_path / "model", tmp_path / "round-1", Settings(), None, print)
    assert not made.passed
    assert "of 1 episodes to train on" in made.reasons[0]
    assert made.figures == {}


def test_the_settings_of_a_fleet_reach_the_round(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(rounds, "learn", lambda *given: asked.append(given))
    monkeypatch.setattr(learning, "LEAST", 0)
    settings = Settings(
        minutes=3.0, trials=7, stores=(str(tmp_path / "more"),), replays=(str(tmp_path / "other"),)
    )
    with Library(tmp_path / "library") as library:
        learning.learn(library, tmp_path / "model", tmp_path / "round-1", settings, "engine", print)
    ((_, running, folder, given, engine, _),) = asked
    assert (running, folder, engine) == (tmp_path / "model", tmp_path / "round-1", "engine")
    assert given.train == {"minutes": 3.0, "mix": learning.MIX}
    assert given.trials == 7
    assert (given.stores, given.replay) == ((tmp_path / "more",), (tmp_path / "other",))


def test_no_world_is_both_acted_in_and_tried():
    tried = range(held_out.FIRST_SEED, held_out.FIRST_SEED + 10_000)
    gated = range(rounds.FIRST_SEED, rounds.FIRST_SEED + 10_000)
    assert robot.SEEDS[1] <= tried.start
    assert tried.stop <= gated.start


def test_a_real_model_gives_surprise_and_one_that_says_none_gives_none(toy):
    from neo_bringup.fleet import acting

    episode = stand_ins.act(1, toy).episode
    values = acting.surprise(episode, acting.named("neo_world_model.shipped:model")())
    assert 0 < len(values) < len(episode)
    assert ((values >= 0.0) & (values <= 1.0)).all()
    assert len(acting.surprise(episode, toy)) == 0


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_real_thing_at_its_smallest_from_prompt_to_verdict(tmp_path, capsys):
    """Two robots, one round, a prompt each: real worlds, the model that ships, the real server."""
    root = tmp_path / "fleet"
    words = ["--robots", 2, "--rounds", 1, "--prompts", 1, "--trials", 1, "--minutes", 0.1, "--workers", 1]
    assert cli.main(["fleet", *map(str, words), "--out", str(root)]) == 0
    place = Place(root)
    (row,) = rows.read(place)
    assert row["step"] == "done"
    assert row["recorded"]["episodes"] == 2
    assert row["uploaded"]["episodes"] == 1
    assert row["stays"] == {"neo_2": ["no consent to clips"]}
    assert row["before"]["trials"] == 1
    assert row["gate"]["reasons"]  # of an episode alone nobody learns
    assert row["versions"] == {"neo_1": "0", "neo_2": "0"}
    (folder,) = (place.robot("neo_1") / "outbox").glob("r*")
    episode, turn = episode_bag.load(folder), files.read_json(place.turn("neo_1", "r001"), "turn")
    assert episode.source == "on_policy"
    assert episode.prompt
    assert turn["release"].startswith("0@")
    assert "2 × 0" in capsys.readouterr().out
