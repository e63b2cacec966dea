"""A TUF repository in a folder: what signs, with which threshold, until when (python-tuf; TUF 1.0).

    REPO/metadata/N.root.json, N.targets.json, N.ROLE.json, N.snapshot.json, timestamp.json
    REPO/targets/PATH/SHA256.NAME

Every version stays; ``timestamp.json`` alone is replaced, and last. So a reader, and a publisher that died on
its way, see the state before or the state after.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import tuf.repository
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization import DeserializationError

from neo_description.errors import NeoError
from neo_flywheel import files
from neo_flywheel.update import keys
from neo_flywheel.update.clock import utc_now
from neo_flywheel.update.keys import KeyFile
from neo_flywheel.update.rules import Rules

TOP = {"root": Root, "targets": Targets, "snapshot": Snapshot, "timestamp": Timestamp}


class Repository(tuf.repository.Repository):
    """The repository in ``folder``, edited with the private ones of ``held`` (key id → key).

    ``rules`` says what roles there are; which keys they trust, its metadata. ``now`` gives the time that
    expiry counts from. A change that lacks one signature it needs is a NeoError, and nothing is written.
    """

    def __init__(
        self, folder: Path, rules: Rules, held: dict[str, KeyFile], now: Callable[[], datetime] = utc_now
    ):
        self.folder = folder
        self.rules = rules
        self._held = held
        self._now = now

    @classmethod
    def create(
        cls, folder: Path, rules: Rules, held: dict[str, KeyFile], now: Callable[[], datetime] = utc_now
    ) -> Repository:
        """A new one, empty and signed, in place when it is whole. Keys sign for what their files say."""
        if folder.exists() and any(folder.iterdir()):
            raise NeoError(f"{folder} is not empty; a repository needs a new folder")
        draft = folder.with_name(f".{folder.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        cls(draft, rules, held, now)._fill()
        draft.replace(folder)
        files.sync_folder(folder.parent)
        return cls(folder, rules, held, now)

    def _fill(self) -> None:
        of = {role: [key for key in self._held.values() if key.role == role] for role in self.rules}
        for role, rule in self.rules.items():
            if len(of[role]) != rule.keys:
                raise NeoError(f"role {role} needs {rule.keys} keys; given {len(of[role])}")
        delegated = {role: rule for role, rule in self.rules.items() if role not in TOP}
        with self.edit_root() as root:
            for role in TOP:
                for key in of[role]:
                    root.add_key(key.public, role)
                root.roles[role].threshold = self.rules[role].threshold
        with self.edit_targets() as targets:
            if delegated:
                targets.delegations = Delegations({}, {})
            for role, rule in delegated.items():
                targets.delegations.roles[role] = DelegatedRole(  # type: ignore[union-attr,index]
                    role, [], rule.threshold, terminating=True, paths=list(rule.paths)
                )
                for key in of[role]:
                    targets.add_key(key.public, role)
        for role in delegated:
            with self.edit_targets(role):
                pass
        self._publish()

    @property
    def metadata(self) -> Path:
        """Folder of the metadata."""
        return self.folder / "metadata"

    def versions(self, role: str) -> list[int]:
        """Of ``role``, ascending."""
        if role == "timestamp":
            return [self.timestamp().version] if (self.metadata / "timestamp.json").exists() else []
        found = (file.name.split(".", 1)[0] for file in self.metadata.glob(f"*.{role}.json"))
        return sorted(int(number) for number in found if number.isdigit())

    def file(self, role: str, version: int) -> Path:
        """Of a role's metadata."""
        return self.metadata / ("timestamp.json" if role == "timestamp" else f"{version}.{role}.json")

    def open(self, role: str) -> Metadata:
        """The newest metadata of ``role``; a draft with version 0 when there is none."""
        file = self.metadata / "timestamp.json"
        if role != "timestamp":
            numbers = self.versions(role)
            file = self.file(role, numbers[-1] if numbers else 0)
        if not file.exists():
            kind: Any = TOP.get(role, Targets)
            draft: Metadata[Any] = Metadata(kind())
            draft.signed.version = 0
            if isinstance(draft.signed, Snapshot):
                draft.signed.meta = {}
            return draft
        try:
            return Metadata.from_bytes(file.read_bytes())
        except (OSError, DeserializationError) as error:
            raise NeoError(f"{file} is no metadata: {error}") from None

    def close(self, role: str, md: Metadata) -> None:
        """The next version: signed by every key at hand that it is trusted by, and written."""
        md.signed.version += 1
        md.signed.expires = self._now() + timedelta(days=self.rules[role].days)
        md.signatures.clear()
        trusting = [md.signed] if role == "root" else [self._trusting(role)]
        if role == "root" and md.signed.version > 1:
            trusting.append(self.root())  # the version before must agree
        for keyid in dict.fromkeys(k for one in trusting for k in one.get_delegated_role(role).keyids):
            if keyid in self._held:
                md.sign(self._held[keyid].signer(), append=True)
        for one in trusting:
            self._check_enough(role, one.get_delegated_role(role).keyids)
            one.verify_delegate(role, md.signed_bytes, md.signatures)
        files.write(self.file(role, md.signed.version), md.to_bytes())

    def _check_enough(self, role: str, trusted: Iterable[str]) -> None:
        """NeoError unless enough of the keys ``trusted`` (ids) are at hand and open."""
        at_hand = [keyid for keyid in trusted if keyid in self._held and self._held[keyid].signer()]
        threshold = self.rules[role].threshold
        if len(at_hand) < threshold:
            raise NeoError(
                f"{role} of {self.folder} must be signed by {threshold} of the keys "
                f"{', '.join(k[:8] for k in trusted)}; at hand are "
                f"{', '.join(k[:8] for k in at_hand) or 'none of them'}"
            )

    def _check_signers(self, *roles: str) -> None:
        """NeoError unless all ``roles`` can be signed, asked before the first of them is."""
        for role in roles:
            self._check_enough(role, self._trusting(role).get_delegated_role(role).keyids)

    def _trusting(self, role: str) -> Root | Targets:
        return self.root() if role in TOP else self.targets()

    def _file_meta(self, role: str) -> MetaFile:
        version = self.versions(role)[-1]
        return MetaFile.from_data(version, self.file(role, version).read_bytes(), ["sha256"])

    @property
    def targets_infos(self) -> dict[str, MetaFile]:
        """Of every role that lists targets."""
        return {f"{role}.json": self._file_meta(role) for role in self.rules if self._lists_targets(role)}

    def _lists_targets(self, role: str) -> bool:
        return role == "targets" or role not in TOP

    @property
    def snapshot_info(self) -> MetaFile:
        """Of the newest snapshot."""
        return self._file_meta("snapshot")

    def _publish(self, force: bool = False) -> None:
        self.do_snapshot(force)
        self.do_timestamp(force)

    def change(
        self, role: str, given: Mapping[str, tuple[Path, Mapping[str, Any]]], gone: Iterable[str] = ()
    ) -> None:
        """Publishes targets (path → file, and what else is said of it) of ``role``; lists ``gone`` no more.

        The files are in place before anything that is signed names them. NeoError where ``role`` may not list
        a path.
        """
        self._check_signers(role, "snapshot", "timestamp")
        infos = {}
        for path, (file, custom) in given.items():
            self._check_path(role, path)
            info = TargetFile.from_file(path, str(file), ["sha256"])
            if custom:
                info.unrecognized_fields["custom"] = dict(custom)
            infos[path] = info
            self._place(file, self.folder / "targets" / info.get_prefixed_paths()[0])
        with files.lock(self.folder, "repository"):
            with self.edit_targets(role) as targets:
                targets.targets.update(infos)
                for path in gone:
                    targets.targets.pop(path, None)
            self._publish()

    def _check_path(self, role: str, path: str) -> None:
        if role in TOP:
            return
        allowed = self.targets().get_delegated_role(role)
        assert isinstance(allowed, DelegatedRole)
        if not allowed.is_delegated_path(path):
            raise NeoError(f"{role} may list {', '.join(allowed.paths or [])}; not {path}")

    def _place(self, file: Path, to: Path) -> None:
        if to.exists() and files.sha256(to) == files.sha256(file):
            return
        to.parent.mkdir(parents=True, exist_ok=True)
        new = to.with_name(f".{to.name}.new")
        shutil.copyfile(file, new)
        files.sync_file(new)
        new.replace(to)
        files.sync_folder(to.parent)

    def refresh(self) -> list[str]:
        """Signs snapshot and timestamp again, that they do not expire, and whatever is about to.

        A role is signed again in the last third of its time. Where its keys are not at hand that is said in
        the answer, one line a role; NeoError when it has expired already.
        """
        warnings = []
        with files.lock(self.folder, "repository"):
            for role, rule in self.rules.items():
                if role in ("snapshot", "timestamp"):
                    continue
                left = (self.open(role).signed.expires - self._now()).total_seconds() / 86400.0
                if left > rule.days / 3.0 and self._is_trusted(role):
                    continue
                try:
                    with self.edit(role):
                        pass
                except NeoError as error:
                    if left <= 0.0:
                        raise
                    warnings.append(f"{role} expires in {left:.0f} days: {error}")
            self._publish(force=True)
        return warnings

    def _is_trusted(self, role: str) -> bool:
        """Whether the keys that count now signed the newest of ``role``; a rotation may have died."""
        newest = self.open(role)
        try:
            self._trusting(role).verify_delegate(role, newest.signed_bytes, newest.signatures)
        except UnsignedMetadataError:
            return False
        return True

    def replace_keys(self, role: str, gone: Iterable[str], new: Iterable[KeyFile]) -> None:
        """``role`` is signed by ``new`` instead of ``gone`` (key ids) from now on.

        For a top role that is a new version of root, signed by the thresholds of the version before and of
        itself; for a delegated one a new version of targets. NeoError when too few would be left to sign.
        """
        gone = list(gone)
        new = list(new)
        self._held |= {key.keyid: key for key in new}
        now_trusted = self._trusting(role).get_delegated_role(role).keyids
        unknown = [keyid for keyid in gone if keyid not in now_trusted]
        if unknown:
            raise NeoError(f"{role} is not signed by {', '.join(k[:8] for k in unknown)}; "
                           f"it is by {', '.join(k[:8] for k in now_trusted)}")  # fmt: skip
        stay = [keyid for keyid in now_trusted if keyid not in gone] + [key.keyid for key in new]
        if len(stay) < self.rules[role].threshold:
            raise NeoError(
                f"{role} would have {len(stay)} keys, and {self.rules[role].threshold} must sign it"
            )
        by = "root" if role in TOP else "targets"
        if role != "root":  # which no snapshot lists: its keys alone exchange a root key
            self._check_enough(role, stay)
            self._check_signers(by, *({"snapshot", "timestamp"} - {role}))
        with files.lock(self.folder, "repository"):
            with self.edit(by) as trusting:
                assert isinstance(trusting, Root | Targets)
                for key in new:
                    trusting.add_key(key.public, role)
                for keyid in gone:
                    trusting.revoke_key(keyid, role)
            if self._lists_targets(role):
                with self.edit(role):
                    pass
            if role != "root":
                self._publish(force=True)

    def trusted(self) -> dict[str, list[str]]:
        """Role → ids of the keys that it is signed by."""
        return {role: list(self._trusting(role).get_delegated_role(role).keyids) for role in self.rules}


def held(folders: Iterable[Path], kind: str) -> dict[str, KeyFile]:
    """The private keys in ``folders``; those below a folder ``kind`` (image, director) where it has one."""
    below = [folder / kind if (folder / kind).is_dir() else folder for folder in folders]
    return keys.signers(below)
