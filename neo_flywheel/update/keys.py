"""Signing keys: ed25519, a PEM file (PKCS 8, mode 0600) each, its public half as JSON beside it.

    KEYS/root-1a2b3c4d.pem     private; encrypted when NEO_KEY_PASSPHRASE was set at its making
    KEYS/root-1a2b3c4d.json    {"role", "made", "keyid", "key": as in TUF metadata}

What a key is trusted for stands in the root metadata of a repository, not here: ``role`` is for people.
Several folders may hold the keys of one repository: the three root keys belong to three people.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner, Key, SSlibKey

from neo_description.errors import NeoError
from neo_flywheel import files

PASSPHRASE = "NEO_KEY_PASSPHRASE"  # noqa: S105 (the name of a variable)
PRIVATE = 0o600


@dataclass(frozen=True)
class KeyFile:
    """One key on the disk. ``private``: the PEM file; it need not be there."""

    keyid: str
    role: str
    made: str
    public: Key
    private: Path

    @property
    def state(self) -> str:
        """In words: whether one can sign with it."""
        if not self.private.is_file():
            return "public half only"
        if self.private.stat().st_mode & 0o077:
            return "others may read it"
        return "encrypted" if b"ENCRYPTED" in self.private.read_bytes()[:64] else "plain"

    def signer(self) -> CryptoSigner:
        """NeoError: readable by others, or the passphrase does not open it."""
        if self.private.stat().st_mode & 0o077:
            raise NeoError(
                f"{self.private} may be read by others; `chmod 600` it, or revoke it if others did"
            )
        word = os.environ.get(PASSPHRASE, "").encode() if self.state == "encrypted" else None
        try:
            private = load_pem_private_key(self.private.read_bytes(), word)
        except (ValueError, TypeError):
            raise NeoError(f"{self.private} does not open; {PASSPHRASE} must hold its passphrase") from None
        assert isinstance(self.public, SSlibKey)
        if not isinstance(private, Ed25519PrivateKey):
            raise NeoError(f"{self.private} is no ed25519 key")
        return CryptoSigner(private, self.public)


def create(folder: Path, role: str, now: datetime) -> KeyFile:
    """A new key for ``role`` in ``folder``; on the disk when this returns."""
    private = Ed25519PrivateKey.generate()
    public = SSlibKey.from_crypto(private.public_key())
    word = os.environ.get(PASSPHRASE, "")
    lock: KeySerializationEncryption = BestAvailableEncryption(word.encode()) if word else NoEncryption()
    stem = folder / f"{role}-{public.keyid[:8]}"
    files.write(
        stem.with_suffix(".pem"), private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock), PRIVATE
    )
    about = {"role": role, "made": now.isoformat(timespec="seconds"), "keyid": public.keyid}
    files.write_json(stem.with_suffix(".json"), about | {"key": public.to_dict()})
    return KeyFile(public.keyid, role, about["made"], public, stem.with_suffix(".pem"))


def remove(key: KeyFile) -> None:
    """Both halves of a key that nobody trusts."""
    for file in (key.private, key.private.with_suffix(".json")):
        file.unlink(missing_ok=True)


def find(folders: Iterable[Path]) -> dict[str, KeyFile]:
    """Key id → key of all in ``folders`` and below; NeoError when a folder is not there."""
    found = {}
    for folder in folders:
        if not folder.is_dir():
            raise NeoError(f"no folder of keys {folder}; `neo keys create {folder}` makes one")
        for file in sorted(folder.rglob("*-????????.json")):
            key = read(file)
            found[key.keyid] = key
    return found


def read(file: Path) -> KeyFile:
    """The key whose public half is in ``file``; NeoError when it is none."""
    about: dict[str, Any] = files.read_json(file, "key")
    try:
        public = Key.from_dict(about["keyid"], dict(about["key"]))
        return KeyFile(about["keyid"], about["role"], about["made"], public, file.with_suffix(".pem"))
    except (KeyError, TypeError, ValueError) as error:
        raise NeoError(f"{file} is no key: {error!r}") from None


def signers(folders: Iterable[Path]) -> dict[str, KeyFile]:
    """Those of :func:`find` whose private half is there."""
    return {keyid: key for keyid, key in find(folders).items() if key.private.is_file()}
