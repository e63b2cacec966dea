"""A fleet with toy models: real agents, repositories, library, courier and processes; nobody simulates."""

import shutil

import fleet_stand_ins as stand_ins
import pytest

from neo_bringup.fleet import server
from neo_bringup.fleet.rounds import Rounds
from neo_bringup.fleet.settings import Place, Settings
from neo_bringup.flywheel_bench import toy_model


@pytest.fixture(scope="session")
def toy(tmp_path_factory):
    """The model that fleets begin with."""
    return toy_model.write(tmp_path_factory.mktemp("models") / "toy", 0)


@pytest.fixture(scope="session")
def begin(toy):
    """``begin(root, robots=2, …)``: a fleet that has not begun; its settings are kept."""

    def make(root, **given):
        settings = Settings(
            **{"model": str(toy), "prompts": 1, "trials": 10, "began": stand_ins.BEGAN, **given}
        )
        Place(root).save(settings)
        return Place(root), settings

    return make


@pytest.fixture(scope="session")
def run(begin):
    """``run(place, settings, rounds, learn)``: its rows; what was said goes to ``said``."""

    def go(place, settings, rounds=1, learn=stand_ins.learn, said=None):
        said = [] if said is None else said
        engine = stand_ins.Engine()
        made = Rounds(place, settings, learn, engine, said.append, stand_ins.ACT, stand_ins.TRIAL)
        return made.run(rounds)

    return go


@pytest.fixture(scope="session")
def created(begin, tmp_path_factory):
    """Two robots, three prompts; created, no round begun."""
    place, settings = begin(tmp_path_factory.mktemp("created") / "fleet", robots=2, prompts=3)
    server.create(place, settings, lambda _: None)
    return place.root


@pytest.fixture
def there(created, tmp_path, monkeypatch):
    """A copy of ``created`` in another folder, in which this process is, as a robot's would be."""
    shutil.copytree(created, tmp_path / "fleet")
    monkeypatch.chdir(tmp_path / "fleet")
    return Place(tmp_path / "fleet")
