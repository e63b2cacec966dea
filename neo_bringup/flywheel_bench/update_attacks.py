"""Attacks on updates, each carried out against a real repository that a real agent reads.

An attack is a function of a fresh :class:`Lab` in which the robot has accepted release OLD before; it returns
what the robot is then made to do. It is refused when that raises UntrustedError; anything else is no refusal,
an unreachable server neither.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import MetaFile, Root, Snapshot, TargetFile

from neo_bringup.flywheel_bench.update_lab import NEW, OLD, ROBOTS, Lab, agent, forge, served
from neo_flywheel.update import clock, keys, release
from neo_flywheel.update.agent import Agent
from neo_flywheel.update.director import path_of
from neo_flywheel.update.manifest import Content
from neo_flywheel.update.repository import Repository

Try = Callable[[], Any]


def take(robot: Agent) -> None:
    """All that comes before anything is installed."""
    found = robot.check()
    if found is not None:
        robot.download(found)


def tampered_file(lab: Lab, home: Path) -> Try:
    """One bit of a file is another."""
    lab.publish(NEW)
    file = next((lab.fleet_folder / "image/targets/stable" / NEW).glob("*.act.onnx"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    return lambda: take(agent(home))


def tampered_metadata(lab: Lab, home: Path) -> Try:
    """A hash in signed metadata is another."""
    lab.publish(NEW)
    image = lab.image()
    file = image.file("targets", image.versions("targets")[-1])
    wanted = release.find(image, NEW).files["act.onnx"].sha256
    file.write_text(file.read_text().replace(wanted, wanted[::-1]))
    return lambda: take(agent(home))


def endless_metadata(lab: Lab, home: Path) -> Try:
    """The timestamp never ends."""

    def attempt() -> None:
        with served(lab.fleet_folder, endless="/director/metadata/timestamp.json") as (address, _):
            take(agent(lab.enrol(source=address, home="web")))

    return attempt


def endless_file(lab: Lab, home: Path) -> Try:
    """A file of the release never ends."""
    lab.publish(NEW)
    content = release.find(lab.image(), NEW).files["act.onnx"]
    path = f"/image/targets/stable/{NEW}/{content.sha256}.act.onnx"

    def attempt() -> None:
        with served(lab.fleet_folder, endless=path) as (address, _):
            take(agent(lab.enrol(source=address, home="web")))

    return attempt


def _rolled_back(lab: Lab, home: Path, kind: str) -> None:
    kept = lab.root / "kept"
    shutil.copytree(lab.fleet_folder / kind, kept)
    lab.publish(NEW)
    take(agent(home))
    shutil.rmtree(lab.fleet_folder / kind)
    kept.replace(lab.fleet_folder / kind)


def rolled_back_image(lab: Lab, home: Path) -> Try:
    """The image repository of yesterday, after today's was seen."""
    _rolled_back(lab, home, "image")
    return lambda: take(agent(home))


def rolled_back_after_lost_cache(lab: Lab, home: Path) -> Try:
    """The same, and what python-tuf remembers was lost with the power."""
    _rolled_back(lab, home, "image")
    for file in (home / "image").glob("*.json"):
        if file.name != "first_root.json":
            file.unlink()
    return lambda: take(agent(home))


def frozen(lab: Lab, home: Path) -> Try:
    """Everything is true, and three days old."""
    old = Lab.create(lab.root / "old", 5, age=timedelta(days=3))
    return lambda: take(agent(old.enrol(home="home")))


def frozen_by_the_clock(lab: Lab, home: Path) -> Try:
    """The robot's clock is set back, so that what has expired looks fresh."""
    return lambda: take(agent(home, now=lambda: clock.utc_now() - timedelta(days=3)))


def mixed_snapshot(lab: Lab, home: Path) -> Try:
    """Today's timestamp with yesterday's snapshot, both truly signed."""
    return _mixed(lab, home, "snapshot")


def mixed_targets(lab: Lab, home: Path) -> Try:
    """Today's snapshot with yesterday's list of files."""
    return _mixed(lab, home, "targets")


def _mixed(lab: Lab, home: Path, role: str) -> Try:
    image = lab.image()
    old = image.file(role, image.versions(role)[-1]).read_bytes()
    lab.publish(NEW)
    image.file(role, image.versions(role)[-1]).write_bytes(old)
    return lambda: take(agent(home))


def mixed_release(lab: Lab, home: Path) -> Try:
    """The director's keys are stolen; it assigns a release with a file of another."""
    lab.publish(NEW)
    image = lab.image()
    row = release.find(image, NEW).row()
    row["files"]["act.onnx"] = vars(release.find(image, OLD).files["act.onnx"])
    _assign(lab, row)
    return lambda: take(agent(home))


def incomplete_release(lab: Lab, home: Path) -> Try:
    """The director's keys are stolen; it leaves a file out."""
    lab.publish(NEW)
    row = release.find(lab.image(), NEW).row()
    del row["files"]["imagine.onnx"]
    _assign(lab, row)
    return lambda: take(agent(home))


def wrong_key(lab: Lab, home: Path) -> Try:
    """Targets, snapshot and timestamp are signed by somebody else."""
    lab.publish(NEW)
    thief = [CryptoSigner.generate_ed25519()]
    image = lab.image()
    for role in ("targets", "snapshot", "timestamp"):
        forge(image, role, _snapshot_follows(image), thief, follow=False)
    return lambda: take(agent(home))


def _snapshot_follows(image: Repository) -> Callable[[Any], None]:
    def change(signed: Any) -> None:
        if isinstance(signed, Snapshot):
            signed.meta["targets.json"] = MetaFile(image.versions("targets")[-1])
        elif signed.type == "timestamp":
            signed.snapshot_meta = MetaFile(image.versions("snapshot")[-1])

    return change


def wrong_key_under_a_true_name(lab: Lab, home: Path) -> Try:
    """Targets are signed by somebody else, who gives the true key's id."""
    lab.publish(NEW)
    image = lab.image()
    thief = CryptoSigner.generate_ed25519()
    thief.public_key.keyid = image.trusted()["targets"][0]
    forge(image, "targets", lambda targets: None, [thief])
    return lambda: take(agent(home))


def wrong_path(lab: Lab, home: Path) -> Try:
    """The canary key lists a stable release, and the director assigns it: both stolen."""
    image = lab.image()
    row = _new_release(lab, "stable/9.9")
    listed = {f"stable/9.9/{name}": TargetFile(c["length"], {"sha256": c["sha256"]}, f"stable/9.9/{name}")
              for name, c in row["files"].items()}  # fmt: skip
    forge(image, "canary", lambda canary: canary.targets.update(listed), lab.signers("image", ["canary"]))
    _assign(lab, row)
    return lambda: take(agent(home))


def canary_for_others(lab: Lab, home: Path) -> Try:
    """The director assigns a canary's release to a robot that is none."""
    lab.publish(NEW, channel="canary")
    return lambda: take(agent(home))


def revoked_key(lab: Lab, home: Path) -> Try:
    """A key signs after it was revoked; the keys of snapshot and timestamp are stolen too."""
    lab.publish(NEW)
    thief = lab.signers("image", ["targets"])
    image = lab.image()
    made = keys.create(lab.keys / "image", "targets", clock.utc_now())
    image.replace_keys("targets", image.trusted()["targets"], [made])
    forge(image, "targets", lambda targets: targets.targets.clear(), thief)
    return lambda: take(agent(home))


def revoked_timestamp_key(lab: Lab, home: Path) -> Try:
    """The same for the timestamp's key."""
    thief = lab.signers("image", ["timestamp"])
    image = lab.image()
    made = keys.create(lab.keys / "image", "timestamp", clock.utc_now())
    image.replace_keys("timestamp", image.trusted()["timestamp"], [made])
    forge(image, "timestamp", lambda timestamp: None, thief, follow=False)
    return lambda: take(agent(home))


def _root(lab: Lab, signers: int) -> None:
    """A next root that believes a thief's key for targets, signed by so many of the true root keys."""
    thief = CryptoSigner.generate_ed25519()

    def change(root: Root) -> None:
        for keyid in list(root.roles["targets"].keyids):
            root.revoke_key(keyid, "targets")
        root.add_key(thief.public_key, "targets")

    forge(lab.image(), "root", change, lab.signers("image", ["root"])[:signers], follow=False)
    forge(lab.image(), "targets", lambda targets: None, [thief])


def one_of_two_signatures(lab: Lab, home: Path) -> Try:
    """A new root has one of the two signatures that it needs."""
    _root(lab, 1)
    return lambda: take(agent(home))


def one_signature_twice(lab: Lab, home: Path) -> Try:
    """The one signature stands there twice, the second time under another root key's id."""
    image = lab.image()
    _root(lab, 1)
    file = image.file("root", 2)
    row = json.loads(file.read_bytes())
    first = row["signatures"][0]
    other = next(keyid for keyid in row["signed"]["roles"]["root"]["keyids"] if keyid != first["keyid"])
    row["signatures"].append({"keyid": other, "sig": first["sig"]})
    file.write_text(json.dumps(row))
    return lambda: take(agent(home))


def _assign(lab: Lab, row: dict[str, Any], robot: str = ROBOTS[0]) -> None:
    """As a thief of the director's keys assigns: to the first robot, whatever ``row`` says."""
    director, file = lab.director(), lab.root / "assignment.json"
    file.write_text(json.dumps({"robot": robot, "number": 99, **row}))
    director.change("targets", {path_of(ROBOTS[0]): (file, {"number": 99, "release": "forged"})})


def _new_release(lab: Lab, name: str) -> dict[str, Any]:
    """Of files that nobody signed as a release, in their place."""
    channel, _, version = name.partition("/")
    scratch = lab.root / "forged"
    shutil.copytree(lab.root / "models" / NEW, scratch)
    listed = {file.name: vars(Content.of(file)) for file in scratch.iterdir()}
    (scratch / "release.json").write_text(json.dumps({"version": version, "files": listed}))
    listed["release.json"] = vars(Content.of(scratch / "release.json"))
    place = lab.fleet_folder / "image/targets" / channel / version
    place.mkdir(parents=True)
    for file in scratch.iterdir():
        shutil.copyfile(file, place / f"{listed[file.name]['sha256']}.{file.name}")
    return {"channel": channel, "version": version, "files": listed}


def unreleased(lab: Lab, home: Path) -> Try:
    """The director's keys are stolen; it assigns what was never released."""
    _assign(lab, _new_release(lab, "stable/9.9"))
    return lambda: take(agent(home))


def withdrawn(lab: Lab, home: Path) -> Try:
    """The director's keys are stolen; it assigns what was withdrawn."""
    lab.publish(NEW)
    row = release.find(lab.image(), NEW).row()
    release.withdraw(lab.image(), "stable", NEW)
    _assign(lab, row)
    return lambda: take(agent(home))


def other_robots_file(lab: Lab, home: Path) -> Try:
    """A mirror gives the second robot's assignment to the first."""
    lab.publish(NEW)
    targets = lab.director().targets().targets
    mine, others = (
        lab.fleet_folder / "director/targets" / targets[path_of(robot)].get_prefixed_paths()[0]
        for robot in ROBOTS
    )
    mine.write_bytes(others.read_bytes())
    return lambda: take(agent(home))


def other_robots_assignment(lab: Lab, home: Path) -> Try:
    """The director signs the second robot's assignment as the first's."""
    lab.publish(NEW)
    _assign(lab, release.find(lab.image(), NEW).row(), robot=ROBOTS[1])
    return lambda: take(agent(home))


def old_director(lab: Lab, home: Path) -> Try:
    """The director of yesterday, after today's was seen."""
    _rolled_back(lab, home, "director")
    return lambda: take(agent(home))


def old_assignment(lab: Lab, home: Path) -> Try:
    """Yesterday's assignment, signed again by the director as if it were new."""
    row = release.find(lab.image(), OLD).row()
    lab.publish(NEW)
    take(agent(home))
    director, file = lab.director(), lab.root / "assignment.json"
    file.write_text(json.dumps({"robot": ROBOTS[0], "number": 1, **row}))
    director.change("targets", {path_of(ROBOTS[0]): (file, {"number": 1, "release": "forged"})})
    return lambda: take(agent(home))


def other_fleets_director(lab: Lab, home: Path) -> Try:
    """Another fleet's director that knows a robot of the same name."""
    other = Lab.create(lab.root / "other", 7)
    shutil.rmtree(lab.fleet_folder / "director")
    shutil.copytree(other.fleet_folder / "director", lab.fleet_folder / "director")
    return lambda: take(agent(home))


def pickle(lab: Lab, home: Path) -> Try:
    """All keys are stolen; the release holds a pickle."""
    return _with_file(lab, home, "model.pt")


def path_out_of_the_slot(lab: Lab, home: Path) -> Try:
    """All keys are stolen; a file's name leads out of the slot."""
    return _with_file(lab, home, "../../robot.json")


def _with_file(lab: Lab, home: Path, name: str) -> Try:
    lab.publish(NEW)
    row = release.find(lab.image(), NEW).row()
    row["files"][name] = row["files"]["act.onnx"]
    _assign(lab, row)
    return lambda: take(agent(home))


ATTACKS: tuple[Callable[[Lab, Path], Try], ...] = (
    tampered_file, tampered_metadata, endless_metadata, endless_file, rolled_back_image,
    rolled_back_after_lost_cache, frozen, frozen_by_the_clock, mixed_snapshot, mixed_targets, mixed_release,
    incomplete_release, wrong_key, wrong_key_under_a_true_name, wrong_path, canary_for_others, revoked_key,
    revoked_timestamp_key, one_of_two_signatures, one_signature_twice, unreleased, withdrawn,
    other_robots_file, other_robots_assignment, old_director, old_assignment, other_fleets_director, pickle,
    path_out_of_the_slot,
)  # fmt: skip
