"""What a robot believes: TUF's client workflow, and floors that survive the loss of its cache.

python-tuf refuses what is tampered with, too long, rolled back, frozen, mixed, or signed by too few or by
others than may. Its cache is written without syncing, so a power cut may take the versions it remembers; the
floors here are synced (:mod:`neo_flywheel.update.agent` keeps them).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tuf.api.exceptions import DownloadError, DownloadLengthMismatchError, RepositoryError
from tuf.api.metadata import Metadata, Root, TargetFile, Timestamp
from tuf.ngclient import Updater

from neo_description.errors import NeoError
from neo_flywheel import files
from neo_flywheel.update import source
from neo_flywheel.update.source import UntrustedError

T = TypeVar("T")
FIRST_ROOT = "first_root.json"


class Client:
    """A robot's view of the repository ``where``; its cache in ``folder``, ``what`` names it in errors."""

    def __init__(self, folder: Path, where: str, what: str):
        self.folder, self.where, self.what = folder, where.rstrip("/"), what
        self._updater: Updater | None = None

    @property
    def enrolled(self) -> bool:
        """Whether there is a first root to believe."""
        return (self.folder / FIRST_ROOT).is_file()

    def enrol(self, root: bytes) -> Root:
        """Believes ``root`` from now on, and what it signs; NeoError when it is none."""
        try:
            parsed = Metadata[Root].from_bytes(root)
            parsed.signed.verify_delegate("root", parsed.signed_bytes, parsed.signatures)
        except Exception as error:  # serialisation's and TUF's own have no common root
            raise NeoError(f"{self.what}: no root metadata: {error}") from None
        self.folder.mkdir(parents=True, exist_ok=True)
        files.write(self.folder / FIRST_ROOT, root)
        return parsed.signed

    def refresh(self, floor: list[int]) -> list[int]:
        """Takes over the newest metadata; its [root version, timestamp version].

        UntrustedError: refused, or older than ``floor`` (the same numbers). NeoError: it cannot be read.
        """
        if not self.enrolled:
            raise NeoError(f"the {self.what} is not known here; `neo update enrol` makes it so")
        for left in self.folder.glob("tmp*"):  # python-tuf's, of a writer that died
            left.unlink(missing_ok=True)
        self._updater = self._believing(
            lambda: Updater(
                str(self.folder), f"{self.where}/metadata/", fetcher=source.fetcher(self.where),
                bootstrap=(self.folder / FIRST_ROOT).read_bytes(),
            )
        )  # fmt: skip
        self._believing(self._updater.refresh)
        newest = [self._cached("root", Root), self._cached("timestamp", Timestamp)]
        if newest < floor:
            raise UntrustedError(
                f"{self.what}: root {newest[0]}, timestamp {newest[1]} are older than what was seen before: "
                f"{floor[0]}, {floor[1]}"
            )
        return newest

    def _cached(self, role: str, kind: type) -> int:
        signed = Metadata.from_file(str(self.folder / f"{role}.json")).signed
        assert isinstance(signed, kind)
        return signed.version

    def info(self, path: str) -> TargetFile | None:
        """What was signed about ``path``; None when nothing."""
        assert self._updater is not None
        updater = self._updater
        return self._believing(lambda: updater.get_targetinfo(path))

    def _believing(self, step: Callable[[], T]) -> T:
        try:
            return step()
        except RepositoryError as error:
            raise UntrustedError(f"{self.what} refused: {type(error).__name__}: {error}") from None
        except DownloadLengthMismatchError as error:
            raise UntrustedError(f"{self.what} refused: {error}") from None
        except DownloadError as error:
            raise NeoError(f"the {self.what} {self.where} cannot be read: {error}") from None


def fetch(where: str, path: str, most: int) -> bytes:
    """``where/path``; NeoError when it cannot be read, UntrustedError above ``most`` bytes."""
    try:
        return source.fetcher(where).download_bytes(f"{where.rstrip('/')}/{path}", most)
    except DownloadLengthMismatchError as error:
        raise UntrustedError(f"{where}/{path}: {error}") from None
    except DownloadError as error:
        raise NeoError(f"{where}/{path} cannot be read: {error}") from None


def root_keys(root: bytes) -> list[str]:
    """Ids of the keys that sign root, by root metadata itself."""
    return list(Metadata[Root].from_bytes(root).signed.roles["root"].keyids)
