"""The robot's agent: slots, first start, rollback. What is not fit never stays."""

import json
import os
import shutil

import pytest

from neo_bringup.flywheel_bench import toy_model
from neo_bringup.flywheel_bench.update import take_all
from neo_bringup.flywheel_bench.update_lab import NEW, OLD, PATIENT, agent, served
from neo_description.errors import NeoError, RefusedError
from neo_flywheel import files
from neo_flywheel.update import director, health, release
from neo_flywheel.update.agent import Agent
from neo_flywheel.update.slots import Home


@pytest.fixture
def healthy(monkeypatch):
    """Every model is fit: for tests of slots, which need no second of ONNX Runtime."""
    monkeypatch.setattr(health, "check", lambda folder, limits: [])


def unfit(monkeypatch, *slots):
    """Models in these slots are not fit."""
    monkeypatch.setattr(
        health, "check",
        lambda folder, limits: [health.Finding("loads", folder.name not in slots, "as told")],
    )  # fmt: skip


def install_only(home):
    robot = agent(home)
    found = robot.check()
    robot.download(found)
    robot.install(found)
    return robot


def slots(home):
    return {
        name: s and (s["release"].split("@")[0], s["good"])
        for name, s in agent(home).status()["slots"].items()
    }


def test_an_update_is_examined_for_real_and_marked_good(lab):
    """Real graphs, real ONNX Runtime in a real child."""
    home = lab.enrol()
    assert take_all(home) == home / "slots/a"
    assert slots(home) == {"a": (OLD, True), "b": None}
    assert agent(home).check() is None
    assert not list((home / "download").glob("*.part"))


def test_over_http_the_same_comes_as_from_a_folder(lab, healthy):
    with served(lab.fleet_folder) as (address, _):
        home = lab.enrol(source=address)
        folder = take_all(home)
    assert release.find(lab.image(), OLD).wrong(folder) == ""


def test_a_server_that_is_away_is_no_attack_and_changes_nothing(lab, healthy):
    with served(lab.fleet_folder) as (address, _):
        home = lab.enrol(source=address)
        take_all(home)
    with pytest.raises(NeoError, match="cannot be read") as refused:
        agent(home).check()
    assert not isinstance(refused.value, RefusedError)
    assert agent(home).start() == home / "slots/a"


def test_the_second_release_takes_the_other_slot_and_only_what_differs_is_fetched(lab, healthy):
    home = lab.enrol()
    take_all(home)
    model = shutil.copytree(lab.root / "models" / OLD, lab.root / "models" / "1.0.1")
    (model / "README.md").write_text("# another card\n")
    lab.publish("1.0.1")
    lines = []
    robot = agent(home, progress=lines.append)
    found = robot.check()
    robot.download(found)
    got = {line for line in lines if line.startswith("have")}
    assert got == {"have stable/1.0.1/README.md", "have stable/1.0.1/release.json"}
    robot.install(found)
    assert robot.start() == home / "slots/b"
    for name in found.files:  # a copy, not a link: what spoils one slot leaves the other
        assert (home / "slots/b" / name).stat().st_nlink == 1


@pytest.mark.parametrize(
    ("write", "why"),
    [
        (
            lambda lab, to: shutil.copytree(lab.root / "models" / NEW, to),
            "replay: act.onnx: action is off by",
        ),
        (lambda lab, to: toy_model.write(to, 4, actions=7), r"contract: act gives action \(1, 8, 7\)"),
        (
            lambda lab, to: toy_model.broken(shutil.copytree(lab.root / "models" / OLD, to) / "act.onnx"),
            "loads",
        ),
    ],
    ids=["lies", "other actions", "no graph"],
)
def test_a_signed_release_that_is_not_fit_is_rolled_back_and_not_tried_again(lab, write, why):
    home = lab.enrol()
    take_all(home)
    write(lab, lab.root / "models" / "2.0")
    shutil.copyfile(
        lab.root / "models" / OLD / "replay.safetensors", lab.root / "models/2.0/replay.safetensors"
    )
    lab.publish("2.0")
    assert install_only(home).start() == home / "slots/a"
    assert slots(home)["b"] == ("2.0", False)
    with pytest.raises(RefusedError, match=f"is not installed again: {why}"):
        agent(home).check()
    assert agent(home).start() == home / "slots/a"


def test_a_graph_that_never_ends_is_ended_and_rolled_back(lab):
    home = lab.enrol()
    take_all(home)
    toy_model.write(lab.root / "models/2.0", 4, hangs=True)
    shutil.copyfile(
        lab.root / "models" / OLD / "replay.safetensors", lab.root / "models/2.0/replay.safetensors"
    )
    lab.publish("2.0")
    row = json.loads((home / "robot.json").read_text())
    (home / "robot.json").write_text(json.dumps(row | {"timeout": 6.0}))
    for _ in range(2):  # a busy machine cannot tell it from a slow one the first time
        if not agent(home).status()["refused"]:
            assert install_only(home).start() == home / "slots/a"
    assert "not done after 6 s" in str(agent(home).status()["refused"])


def test_a_machine_that_has_no_time_gives_no_verdict(lab, monkeypatch):
    """A starved machine once took the new model and the good one for unfit, and the robot had none."""
    home = lab.enrol()
    unfit(monkeypatch)
    take_all(home)
    lab.publish(NEW)
    busy = [health.Finding(health.BUSY, False, "not done after 15 s")]
    monkeypatch.setattr(health, "check", lambda folder, limits: busy)
    assert install_only(home).start() == home / "slots/a"
    assert agent(home).start() == home / "slots/a"
    assert agent(home).status()["refused"] == {}
    assert install_only(home).start() == home / "slots/a"
    assert "not done after 15 s, 2 times" in str(agent(home).status()["refused"])


def test_the_first_model_of_all_waits_for_a_machine_that_has_time(lab, monkeypatch):
    home = lab.enrol()
    with monkeypatch.context() as patched:
        busy = [health.Finding(health.BUSY, False, "not done after 15 s")]
        patched.setattr(health, "check", lambda folder, limits: busy)
        robot = install_only(home)
        for _ in range(3):
            with pytest.raises(NeoError, match="could not be examined, try again"):
                robot.start()
    unfit(monkeypatch)
    assert agent(home).start() == home / "slots/a"
    assert slots(home)["a"] == (OLD, True)


def test_a_good_model_that_is_not_fit_today_stays_the_one_to_go_back_to(lab, monkeypatch):
    """As when a library is broken: nothing acts, and nothing is thrown away."""
    home = lab.enrol()
    unfit(monkeypatch)
    take_all(home)
    lab.publish(NEW)
    unfit(monkeypatch, "a", "b")
    with pytest.raises(NeoError, match="no model is fit to act"):
        install_only(home).start()
    unfit(monkeypatch)
    assert agent(home).start() == home / "slots/a"


def test_a_model_that_is_too_slow_is_not_begun_with(lab):
    found = health.check(lab.root / "models" / OLD, health.Limits(act_ms=0.0, timeout=PATIENT))
    assert [f.check for f in found] == ["loads", "contract", "replay", "latency"]
    assert [f.ok for f in found] == [True, True, True, False]
    assert "allowed are 0" in health.reason(found)


def test_a_first_start_that_died_rolls_back_at_the_next(lab, healthy, monkeypatch):
    home = lab.enrol()
    take_all(home)
    lab.publish(NEW)
    robot = install_only(home)

    def dies(folder, limits):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(health, "check", dies)
        with pytest.raises(KeyboardInterrupt):
            robot.start()
    assert agent(home).start() == home / "slots/a"
    assert "died before it was marked good" in agent(home).status()["events"][-1]["what"]


def test_a_power_cut_at_a_first_start_is_forgiven_once(lab, healthy):
    """Twice the same release: it was not the power."""
    home = lab.enrol()
    take_all(home)
    lab.publish(NEW)
    for tries in (1, 2):
        install_only(home)
        state = Home(home).load()
        state.starts = 1  # as a start leaves it that is cut off
        Home(home).save(state)
        assert agent(home).start() == home / "slots/a"
        assert bool(agent(home).status()["refused"]) == (tries == 2)
    with pytest.raises(RefusedError, match="2 times"):
        agent(home).check()


def test_the_only_model_there_is_gets_another_start(lab, healthy):
    """Killed at the very first start of all there is nothing to roll back to."""
    home = lab.enrol()
    install_only(home)
    state = Home(home).load()
    state.starts = 1
    Home(home).save(state)
    assert agent(home).start() == home / "slots/a"
    assert slots(home)["a"] == (OLD, True)


def test_a_first_release_that_is_not_fit_leaves_no_model_and_room_for_the_next(lab, monkeypatch):
    home = lab.enrol()
    unfit(monkeypatch, "a")
    with pytest.raises(NeoError, match="no model is fit to act"):
        install_only(home).start()
    with pytest.raises(NeoError, match="no model is installed"):
        agent(home).start()
    lab.publish(NEW)
    unfit(monkeypatch)
    assert slots(home)["a"] == (OLD, False)
    assert install_only(home).start().name in ("a", "b")


def test_held_on_trial_until_somebody_says_it_did_well(lab, healthy):
    home = lab.enrol()
    take_all(home)
    lab.publish(NEW)
    robot = install_only(home)
    assert robot.start(confirm=False) == home / "slots/b"
    assert robot.status()["trial"]
    robot.mark_good()
    assert not robot.status()["trial"]
    assert robot.start() == home / "slots/b"


def test_held_on_trial_and_never_confirmed_rolls_back(lab, healthy):
    home = lab.enrol()
    take_all(home)
    lab.publish(NEW)
    assert install_only(home).start(confirm=False) == home / "slots/b"
    assert agent(home).start() == home / "slots/a"


def test_only_an_idle_robot_in_a_safe_pose_switches(lab, healthy):
    home = lab.enrol()
    take_all(home)
    lab.publish(NEW)
    busy = Agent(home, may_switch=lambda: "a task runs")
    found = busy.check()
    busy.download(found)
    with pytest.raises(RefusedError, match=r"1.1@.* waits in slot b: a task runs"):
        busy.install(found)
    with pytest.raises(RefusedError, match="a task runs"):
        busy.roll_back("because")
    assert busy.start() == home / "slots/a"
    idle = agent(home)
    idle.install(idle.check())  # what waited in the slot is used, nothing is fetched anew
    assert idle.start() == home / "slots/b"


def test_a_spoilt_file_in_the_active_slot_sends_it_to_the_other(lab, healthy):
    home = lab.enrol()
    take_all(home)
    lab.publish(NEW)
    take_all(home)
    file = home / "slots/b/act.onnx"
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    assert agent(home).start() == home / "slots/a"
    assert "act.onnx not as released" in agent(home).status()["events"][-1]["what"]


def test_a_spoilt_only_model_is_repaired_by_the_next_update(lab, healthy):
    home = lab.enrol()
    take_all(home)
    (home / "slots/a/act.onnx").write_bytes(b"?")
    with pytest.raises(NeoError, match="no model is fit"):
        agent(home).start()
    assert take_all(home) == home / "slots/b"
    assert release.find(lab.image(), OLD).wrong(home / "slots/b") == ""


def test_a_person_rolls_back_and_the_release_is_not_installed_again(lab, healthy):
    home = lab.enrol()
    take_all(home)
    lab.publish(NEW)
    take_all(home)
    assert agent(home).roll_back("it drops cups") == home / "slots/a"
    with pytest.raises(RefusedError, match="it drops cups"):
        agent(home).check()


def test_without_a_good_model_to_go_back_to_nobody_rolls_back(lab, healthy):
    home = lab.enrol()
    take_all(home)
    with pytest.raises(RefusedError, match="slot b holds no good model"):
        agent(home).roll_back("because")
    assert agent(home).status()["refused"] == {}


def test_a_full_disk_is_seen_before_anything_is_fetched(lab, monkeypatch):
    home = lab.enrol()
    found = agent(home).check()
    usage = shutil.disk_usage(home)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(NeoError, match=r"needs 0 MB; 0 MB are free"):
        agent(home).download(found)


def test_two_agents_at_once_do_not_mix(lab, healthy):
    home = lab.enrol()
    take_all(home)
    with files.lock(home, "agent's home"), pytest.raises(NeoError, match="another process works"):
        agent(home).start()


def test_a_robot_starts_while_a_download_runs(lab, healthy):
    home = lab.enrol()
    take_all(home)
    with files.lock(home / "download", "downloads"):
        assert agent(home).start() == home / "slots/a"


def test_nothing_assigned_is_no_attack(lab):
    director.assign(lab.director(), {"neo-1": None})
    with pytest.raises(RefusedError, match="assigns nothing to robot neo-1"):
        agent(lab.enrol()).check()


def test_a_home_is_enrolled_once(lab):
    lab.enrol()
    with pytest.raises(NeoError, match="belongs to a robot already"):
        lab.enrol()


def test_a_folder_that_is_no_home_says_how_to_make_one(tmp_path):
    with pytest.raises(NeoError, match="neo update enrol"):
        agent(tmp_path)


def test_everything_is_synced_before_the_state_names_it(lab, healthy, monkeypatch):
    """Killing cannot show this, the kernel keeps what it was given; so the order of calls is watched."""
    home = lab.enrol()
    calls = []
    true_sync, true_replace = os.fsync, os.replace

    def sync(handle):
        calls.append(("sync", os.readlink(f"/proc/self/fd/{handle}")))
        true_sync(handle)

    def replace(old, new, **other):
        calls.append(("replace", str(new)))
        true_replace(old, new, **other)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", replace)
    found = agent(home).check()
    agent(home).download(found)
    for content in found.files.values():
        whole = home / "download" / content.sha256
        synced = calls.index(("sync", f"{whole}.part"))
        assert synced < calls.index(("replace", str(whole)))
        assert ("sync", str(home / "download")) in calls[calls.index(("replace", str(whole))) :]
    calls.clear()
    agent(home).install(found)
    states = [i for i, call in enumerate(calls) if call == ("replace", str(home / "state.json"))]
    assert len(states) == 3  # slot emptied, slot filled, switched
    for i in states:
        assert calls[i - 1] == ("sync", str(home / ".state.json.new"))
        assert calls[i + 1] == ("sync", str(home))
    between = calls[states[0] : states[1]]
    assert ("sync", str(home / "slots/.new")) in between
    assert ("sync", str(home / "slots")) in between
