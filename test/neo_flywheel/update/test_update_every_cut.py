"""The power goes before each single change to the disk that an update makes, one after the other.

Exhaustive where killing a process is random: every rename, link, removal, new folder and sync of check,
download, install and first start is the last thing that does not happen, once.
"""

import os
import shutil

import pytest

from neo_bringup.flywheel_bench.update import take_all
from neo_bringup.flywheel_bench.update_lab import NEW, OLD, agent
from neo_flywheel.update import health, release

CHANGES = ("replace", "rename", "link", "unlink", "rmdir", "mkdir", "fsync", "symlink", "remove")


class PowerCut(BaseException):
    """Nothing of ours catches it."""


class Power:
    """Goes after ``left`` more changes to the disk; then nothing changes any more, not even to clean up."""

    def __init__(self, monkeypatch, left):
        self.left, self.changes = left, 0
        for name in CHANGES:
            monkeypatch.setattr(os, name, self._counting(getattr(os, name)))

    def _counting(self, change):
        def counted(*args, **other):
            if self.changes >= self.left:
                raise PowerCut
            self.changes += 1
            return change(*args, **other)

        return counted


@pytest.fixture(autouse=True)
def healthy(monkeypatch):
    monkeypatch.setattr(health, "check", lambda folder, limits: [])


def cut_after(home, left):
    """Changes that were made, and whether the update got through before the power went."""
    with pytest.MonkeyPatch.context() as patched:
        power = Power(patched, left)
        try:
            take_all(home)
            return power.changes, True
        except PowerCut:
            return power.changes, False


@pytest.mark.slow
def test_wherever_the_power_goes_a_good_model_comes_up_and_the_update_goes_through(lab, tmp_path):
    template = lab.enrol()
    take_all(template)
    lab.publish(NEW)
    image = lab.image()
    known = {version: release.find(image, version) for version in (OLD, NEW)}
    whole = shutil.copytree(template, tmp_path / "whole")
    changes, through = cut_after(whole, 10**6)
    assert through
    assert changes > 50
    came_up = []
    for left in range(changes):
        home = shutil.copytree(template, tmp_path / f"home-{left}")
        _, through = cut_after(home, left)
        assert not through
        folder = agent(home).start()
        version = next((v for v, r in known.items() if not r.wrong(folder)), None)
        assert version, f"cut after {left} of {changes} changes: {folder} is no release"
        assert not agent(home).status()["trial"]
        if agent(home).check() is not None:
            take_all(home)
        assert agent(home).status()["refused"] == {}
        assert known[NEW].wrong(agent(home).start()) == ""
        came_up.append(version)
        shutil.rmtree(home)
    first = came_up.index(NEW)  # the switch is written, and the trial not begun
    assert set(came_up[:first]) == {OLD}
    assert OLD in came_up[first:]  # a first start that ended without a word
    assert came_up[-1] == NEW


def test_wherever_the_power_goes_at_the_very_first_install_it_goes_through_later(lab, tmp_path):
    template = lab.enrol()
    whole = shutil.copytree(template, tmp_path / "whole")
    changes, _ = cut_after(whole, 10**6)
    for left in range(0, changes, 6):
        home = shutil.copytree(template, tmp_path / f"home-{left}")
        assert not cut_after(home, left)[1]
        if agent(home).status()["trial"]:
            agent(home).start()
        if agent(home).check() is not None:
            take_all(home)
        assert release.find(lab.image(), OLD).wrong(agent(home).start()) == ""
        shutil.rmtree(home)
