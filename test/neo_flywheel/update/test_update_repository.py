"""The image repository: who may list what, keys that change, and a publisher that dies."""

import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from tuf.api.metadata import Metadata

from neo_bringup.flywheel_bench.update_attacks import take
from neo_bringup.flywheel_bench.update_lab import NEW, OLD, agent, forge
from neo_description.errors import NeoError
from neo_flywheel.update import clock, director, keys, release
from neo_flywheel.update.fleet import Fleet, create_keys


def test_root_needs_two_of_three_and_roles_expire_as_the_table_says(lab):
    image = lab.image()
    root = image.root()
    assert (len(root.roles["root"].keyids), root.roles["root"].threshold) == (3, 2)
    assert len(image.open("root").signatures) == 3
    left = image.timestamp().expires - clock.utc_now()
    assert timedelta(hours=20) < left <= timedelta(days=1)
    canary = image.targets().get_delegated_role("canary")
    assert canary.is_delegated_path("canary/1.0/act.onnx")
    assert not canary.is_delegated_path("stable/1.0/act.onnx")


def test_canary_may_list_its_own_paths_only(lab):
    file = lab.root / "models" / NEW / "act.onnx"
    with pytest.raises(NeoError, match=r"canary may list canary/\*/\*; not stable/1.1/act.onnx"):
        lab.image().change("canary", {"stable/1.1/act.onnx": (file, {})})


def test_a_robot_follows_a_rotation_of_every_key_and_sees_the_next_release(lab):
    home = lab.enrol()
    take(agent(home))
    for kind in ("image", "director"):
        repository = lab.fleet().repository(kind)
        for role, old in repository.trusted().items():
            made = keys.create(lab.keys / kind, role, clock.utc_now())
            repository.replace_keys(role, old[:1], [made])
            assert old[0] not in repository.trusted()[role]
            assert made.keyid in repository.trusted()[role]
    lab.publish(NEW)
    assert agent(home).check().version == NEW


@pytest.mark.parametrize("role", ["targets", "timestamp"])
def test_a_thief_that_ran_far_ahead_is_forgotten_when_the_key_is_revoked(lab, role):
    """Fast-forward: versions and numbers so high that what is honest looked old for ever."""
    home = lab.enrol()
    director_ = lab.director()
    thief = lab.signers("director", [role])
    if role == "targets":
        row = release.find(lab.image(), OLD).row()
        file = lab.root / "assignment.json"
        file.write_text(json.dumps({"robot": "neo-1", "number": 10**9, **row}))
        path = director.path_of("neo-1")
        kept = director_.targets().targets[path]
        director_.change("targets", {path: (file, dict(kept.custom))})
    else:
        shutil.copyfile(director_.file(role, 1), lab.root / "kept.json")
        forge(director_, role, lambda signed: setattr(signed, "version", 10**9), thief, follow=False)
    take(agent(home))
    made = keys.create(lab.keys / "director", role, clock.utc_now())
    director_ = lab.director()
    if role == "targets":
        director_.change("targets", {}, gone=[path])
    else:
        shutil.copyfile(lab.root / "kept.json", director_.file(role, 1))
    director_.replace_keys(role, director_.trusted()[role], [made])
    lab.fleet().apply()
    lab.publish(NEW)
    assert agent(home).check().version == NEW


def test_a_new_root_is_signed_by_the_old_and_by_the_new_threshold(lab):
    image = lab.image()
    old = image.root()
    made = [keys.create(lab.keys / "image", "root", clock.utc_now()) for _ in range(2)]
    image.replace_keys("root", image.trusted()["root"][:2], made)
    new = Metadata.from_file(str(image.file("root", 2)))
    old.verify_delegate("root", new.signed_bytes, new.signatures)
    new.signed.verify_delegate("root", new.signed_bytes, new.signatures)


def test_one_root_key_alone_changes_nothing(lab):
    root_keys = sorted((lab.keys / "image").glob("root-*.pem"))
    for file in root_keys[1:]:
        file.rename(lab.root / file.name)
    image = lab.image()
    made = keys.create(lab.root / "more", "targets", clock.utc_now())
    with pytest.raises(NeoError, match="must be signed by 2 of the keys"):
        image.replace_keys("targets", image.trusted()["targets"], [made])
    assert image.versions("root") == [1]


@pytest.mark.parametrize("missing", ["snapshot", "timestamp"])
@pytest.mark.parametrize("role", ["targets", "canary", "snapshot", "timestamp"])
def test_nothing_is_written_when_a_later_signature_could_not_be_given(lab, role, missing):
    """A new root that trusts a key, and then no snapshot: the key would have been thrown away as unused."""
    if role == missing:
        return
    for file in (lab.keys / "image").glob(f"{missing}-*.pem"):
        file.unlink()
    image, before = lab.image(), {file: file.read_bytes() for file in lab.image().metadata.iterdir()}
    made = keys.create(lab.root / "more", role, clock.utc_now())
    with pytest.raises(NeoError, match=f"{missing} of .* must be signed by 1"):
        image.replace_keys(role, image.trusted()[role], [made])
    with pytest.raises(NeoError, match=f"{missing} of .* must be signed by 1"):
        release.publish(image, lab.root / "models" / NEW, NEW, "stable", {})
    assert {file: file.read_bytes() for file in image.metadata.iterdir()} == before


def test_root_keys_alone_exchange_a_root_key(lab):
    """Three people in a room, no computer of the fleet."""
    for file in (lab.keys / "image").glob("*.pem"):
        if not file.name.startswith("root-"):
            file.rename(lab.root / file.name)
    home = lab.enrol()
    take(agent(home))
    image = lab.image()
    old = image.trusted()["root"][0]
    image.replace_keys("root", [old], [keys.create(lab.root / "more", "root", clock.utc_now())])
    assert old not in image.trusted()["root"]
    take(agent(home))


def test_a_passphrase_that_is_wrong_changes_nothing(lab, monkeypatch):
    monkeypatch.setenv(keys.PASSPHRASE, "right")
    image = lab.image()
    made = keys.create(lab.keys / "image", "snapshot", clock.utc_now())
    image.replace_keys("snapshot", image.trusted()["snapshot"], [made])
    monkeypatch.setenv(keys.PASSPHRASE, "wrong")
    before = sorted(lab.image().metadata.iterdir())
    with pytest.raises(NeoError, match=keys.PASSPHRASE):
        release.publish(lab.image(), lab.root / "models" / NEW, NEW, "stable", {})
    assert sorted(lab.image().metadata.iterdir()) == before


def test_a_threshold_cannot_be_undercut(lab):
    image = lab.image()
    with pytest.raises(NeoError, match="would have 1 keys, and 2 must sign"):
        image.replace_keys("root", image.trusted()["root"][:2], [])
    with pytest.raises(NeoError, match="is not signed by"):
        image.replace_keys("root", ["0" * 64], [])


def test_refresh_signs_again_what_a_rotation_that_died_left(lab):
    """Root names a new key for targets, and the newest targets still have the old signature."""
    image = lab.image()
    made = keys.create(lab.keys / "image", "targets", clock.utc_now())
    image = lab.image()
    with image.edit_root() as root:
        root.add_key(made.public, "targets")
        root.revoke_key(root.roles["targets"].keyids[0], "targets")
    home = lab.enrol()
    with pytest.raises(NeoError, match="targets was signed by 0/1"):
        take(agent(home))
    image.refresh()
    take(agent(home))


def test_what_expired_is_signed_again_by_refresh(lab):
    """A fleet whose publisher was ill for three days."""
    home = lab.enrol()
    for kind in ("image", "director"):
        lab.fleet(timedelta(days=3)).repository(kind).refresh()
    with pytest.raises(NeoError, match="expired"):
        take(agent(home))
    lab.fleet().refresh()
    take(agent(home))


def test_refresh_says_when_it_will_need_keys_that_are_not_at_hand(lab):
    """Root keys lie in a safe; they are asked for in the last third of root's year, before it is too late."""
    for file in (lab.keys / "image").glob("root-*.pem"):
        file.unlink()
    assert lab.image().refresh() == []
    (said,) = lab.fleet(timedelta(days=-300)).repository("image").refresh()
    assert "root expires in 65 days: root of" in said
    with pytest.raises(NeoError, match=r"root of .* must be signed by 2 of the keys"):
        lab.fleet(timedelta(days=-370)).repository("image").refresh()


def test_a_publisher_that_is_killed_leaves_the_state_before_or_after(lab):
    """Killed after its first signed file: robots still read the repository, and it goes through later."""
    home = lab.enrol()
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from neo_bringup.flywheel_bench.update_lab import Lab\n"
        "from neo_flywheel import files\nfrom neo_flywheel.update import release\n"
        "true = files.write\n"
        "def dies(file, content, mode=0o644):\n"
        "    true(file, content, mode)\n"
        "    if file.name.endswith('.targets.json'): os.kill(os.getpid(), signal.SIGKILL)\n"
        "files.write = dies\n"
        "lab = Lab(Path(sys.argv[1]))\n"
        "release.publish(lab.image(), lab.root / 'models' / '1.1', '1.1', 'stable', {})\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    died = subprocess.run([sys.executable, "-c", script, str(lab.root)], env=environment, timeout=120)
    assert died.returncode == -signal.SIGKILL
    take(agent(home))
    lab.fleet().refresh()
    assert release.find(lab.image(), "1.1").version == "1.1"
    take(agent(home))


def test_keys_are_never_written_over(tmp_path):
    create_keys(tmp_path, clock.utc_now())
    with pytest.raises(NeoError, match="never written over"):
        create_keys(tmp_path, clock.utc_now())


def test_a_fleet_without_all_its_keys_is_not_begun(tmp_path):
    create_keys(tmp_path / "keys", clock.utc_now(), ["image"])
    next((tmp_path / "keys/image").glob("root-*.json")).unlink()
    with pytest.raises(NeoError, match="role root needs 3 keys; given 2"):
        Fleet(tmp_path / "fleet", [tmp_path / "keys"]).create()
    assert not (tmp_path / "fleet/image").exists()
