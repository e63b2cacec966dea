"""A campaign: a signed question to robots, that ends by itself, about what they have recorded.

    {"signed": {"campaign": "spills", "version": 1, "starts": "2026-11-01T00:00:00Z",
                "expires": "2026-12-01T00:00:00Z", "triggers": [{"kind": "object", "name": "red cup"}],
                "before": 10.0, "after": 5.0, "images": true, "max_clips": 20, "max_bytes": 200000000},
     "signatures": [{"keyid": "…", "sig": "…"}]}

Signed with ed25519 over canonical JSON, as TUF metadata is (securesystemslib). A robot evaluates it locally,
and what does not match stays there. Every field is known or the document is refused.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.exceptions import Error as SigningError
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import CryptoSigner, Key, Signature

from neo_description.errors import NeoError
from neo_flywheel.story import Story

KINDS = {
    "surprise": ("quantile",), "failure": (), "prompt": ("words",), "object": ("name",), "intervention": (),
}  # fmt: skip
LONGEST = timedelta(days=366)  # between starts and expires
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
LARGEST = 65536  # bytes of a document


@dataclass(frozen=True)
class Trigger:
    """``kind`` is one of :data:`KINDS`. ``quantile``: of surprise, 0 to 1; ``words``: any of them counts."""

    kind: str
    quantile: float = math.nan
    words: tuple[str, ...] = ()
    name: str = ""

    @staticmethod
    def parse(row: Any) -> Trigger:
        """From a document; NeoError says what is wrong."""
        if not isinstance(row, dict) or row.get("kind") not in KINDS:
            raise NeoError(f"a trigger {row!r}; its kind is one of {', '.join(KINDS)}")
        kind = row["kind"]
        if set(row) - {"kind"} != set(KINDS[kind]):
            raise NeoError(f"trigger {kind} with {sorted(set(row) - {'kind'})}; it takes {list(KINDS[kind])}")
        if kind == "surprise" and not (_number(row["quantile"]) and 0.0 < row["quantile"] < 1.0):
            raise NeoError(f"trigger surprise above quantile {row['quantile']!r}; between 0 and 1 is allowed")
        if kind == "prompt" and not _strings(row["words"]):
            raise NeoError(f"trigger prompt with words {row['words']!r}; a list of words is allowed")
        if kind == "object" and not (isinstance(row["name"], str) and row["name"].strip()):
            raise NeoError(f"trigger object with name {row['name']!r}; a name as 'red cup' is allowed")
        return Trigger(
            kind, row.get("quantile", math.nan), tuple(row.get("words", ())), row.get("name", "").strip()
        )

    def as_json(self) -> dict[str, Any]:
        """As it stands in a document."""
        row = asdict(self)
        return {"kind": self.kind} | {
            key: list(row[key]) if key == "words" else row[key] for key in KINDS[self.kind]
        }

    def moments(self, story: Story) -> list[tuple[int, str]]:
        """(time in ns, why) at which it fires in what was recorded."""
        if self.kind == "surprise":
            return [(t, f"surprise {value:.4f}") for t, value in story.surprise if value >= self.quantile]
        if self.kind == "failure":
            return [(event.time_ns, f"failure: {event.words}") for event in story.failures]
        events = [event for event in story.events if event.kind == self.kind]
        if self.kind == "prompt":
            wanted = {word.casefold() for word in self.words}
            events = [e for e in events if wanted & set(re.findall(r"\w+", e.words.casefold()))]
        if self.kind == "object":
            wanted = set(self.name.casefold().split())
            events = [e for e in events if wanted <= set(e.words.casefold().split())]
        return [(event.time_ns, f"{self.kind} {event.words}".strip()) for event in events]


@dataclass(frozen=True)
class Window:
    """A clip to be cut, in ns of log time, and why."""

    first_ns: int
    last_ns: int
    why: str


@dataclass(frozen=True)
class Campaign:
    """``before``, ``after``: s round each trigger; ``max_clips``, ``max_bytes``: of one robot in all."""

    campaign: str
    version: int
    starts: datetime
    expires: datetime
    triggers: tuple[Trigger, ...]
    before: float
    after: float
    images: bool
    max_clips: int
    max_bytes: int

    @staticmethod
    def parse(row: Any) -> Campaign:
        """From the signed part of a document; NeoError says what is wrong."""
        names = set(Campaign.__dataclass_fields__)
        if not isinstance(row, dict) or set(row) != names:
            given = sorted(set(row) ^ names) if isinstance(row, dict) else repr(row)
            raise NeoError(f"a campaign has exactly {', '.join(sorted(names))}; too many or missing: {given}")
        starts, expires = _time("starts", row["starts"]), _time("expires", row["expires"])
        if not starts < expires <= starts + LONGEST:
            raise NeoError(f"a campaign from {starts} to {expires}; it ends after it starts, within a year")
        if not (isinstance(row["campaign"], str) and NAME.fullmatch(row["campaign"])):
            raise NeoError(
                f"campaign {row['campaign']!r}; small letters, digits, - and _ are allowed, at most 64"
            )
        for name, low, high in (("before", 0.0, 300.0), ("after", 0.0, 300.0)):
            if not (_number(row[name]) and low <= row[name] <= high):
                raise NeoError(f"campaign {name} {row[name]!r} s; {low} to {high} is allowed")
        for name in ("version", "max_clips", "max_bytes"):
            if isinstance(row[name], bool) or not isinstance(row[name], int) or row[name] < 1:
                raise NeoError(f"campaign {name} {row[name]!r}; a whole number above 0 is allowed")
        if not isinstance(row["images"], bool):
            raise NeoError(f"campaign images {row['images']!r}; true or false")
        if not isinstance(row["triggers"], list) or not row["triggers"]:
            raise NeoError("a campaign without triggers; a list of at least one is allowed")
        triggers = tuple(map(Trigger.parse, row["triggers"]))
        return Campaign(**{**row, "starts": starts, "expires": expires, "triggers": triggers})

    def as_json(self) -> dict[str, Any]:
        """The signed part of a document."""
        row = {name: getattr(self, name) for name in self.__dataclass_fields__}
        row["starts"], row["expires"] = _said(self.starts), _said(self.expires)
        row["triggers"] = [trigger.as_json() for trigger in self.triggers]
        return row

    def runs(self, now: datetime) -> bool:
        """Whether it has started and not expired."""
        return self.starts <= now < self.expires

    def windows(self, story: Story) -> list[Window]:
        """Clips that it asks of a bag, in order; those that touch are one."""
        moments = sorted(moment for trigger in self.triggers for moment in trigger.moments(story))
        before, after = round(self.before * 1e9), round(self.after * 1e9)
        found: list[Window] = []
        for time_ns, why in moments:
            first, last = max(time_ns - before, story.first_ns), min(time_ns + after, story.last_ns)
            if found and first <= found[-1].last_ns:
                found[-1] = Window(found[-1].first_ns, max(last, found[-1].last_ns), found[-1].why)
            else:
                found.append(Window(first, last, why))
        return found


def new_key() -> tuple[bytes, dict[str, Any]]:
    """A fresh ed25519 key: (PEM of the private half, the public half as trusted-keys files hold it)."""
    signer = CryptoSigner.generate_ed25519()
    return signer.private_bytes, {signer.public_key.keyid: signer.public_key.to_dict()}


def sign(campaign: Campaign, pem: bytes) -> bytes:
    """The document; NeoError when ``pem`` is no ed25519 key without a password."""
    try:
        signer = CryptoSigner(load_pem_private_key(pem, None))  # type: ignore[arg-type]
    except (ValueError, TypeError, SigningError) as error:
        raise NeoError(f"no ed25519 private key in PEM: {error}") from None
    signed = campaign.as_json()
    signature = signer.sign(_canonical(signed))
    return json.dumps({"signed": signed, "signatures": [signature.to_dict()]}, indent=1).encode() + b"\n"


def verify(document: bytes, trusted: dict[str, Any], now: datetime) -> Campaign:
    """The campaign of a document; NeoError unless a ``trusted`` key signed it and it runs ``now``."""
    if len(document) > LARGEST:
        raise NeoError(f"a campaign of {len(document)} bytes; at most {LARGEST}")
    try:
        rows = json.loads(document)
        signed, signatures = rows["signed"], rows["signatures"]
        data = _canonical(signed)
        pairs = [(row["keyid"], Signature.from_dict(dict(row))) for row in signatures]
    except (ValueError, KeyError, TypeError, SigningError) as error:
        raise NeoError(f"no campaign: {error}; it is JSON with 'signed' and 'signatures'") from None
    if not any(_holds(keyid, signature, data, trusted) for keyid, signature in pairs):
        raise NeoError(
            f"a campaign signed by {', '.join(keyid[:12] for keyid, _ in pairs) or 'nobody'}; trusted are "
            f"{', '.join(keyid[:12] for keyid in trusted) or 'no keys'}, and their signature must hold"
        )
    campaign = Campaign.parse(signed)
    if not campaign.runs(now):
        raise NeoError(
            f"campaign {campaign.campaign} runs from {_said(campaign.starts)} to {_said(campaign.expires)}; "
            f"it is {_said(now)}"
        )
    return campaign


def trusted_keys(files: Iterable[Path]) -> dict[str, Any]:
    """Key id → public key of all ``files``; NeoError when one cannot be read."""
    keys: dict[str, Any] = {}
    for file in files:
        try:
            rows = json.loads(file.read_text())
            for keyid, row in rows.items():
                Key.from_dict(keyid, dict(row))
            keys.update(rows)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, SigningError) as error:
            raise NeoError(f"cannot read trusted keys from {file}: {error}") from None
    return keys


def _holds(keyid: str, signature: Signature, data: bytes, trusted: dict[str, Any]) -> bool:
    if keyid not in trusted:
        return False
    try:
        Key.from_dict(keyid, dict(trusted[keyid])).verify_signature(signature, data)
    except SigningError:
        return False
    return True


def _canonical(signed: Any) -> bytes:
    """Canonical JSON knows no fractions: they are signed as the strings that JSON writes them as."""

    def plain(value: Any) -> Any:
        if isinstance(value, float):
            return f"float:{value!r}"
        if isinstance(value, dict):
            return {str(key): plain(item) for key, item in value.items()}
        return [plain(item) for item in value] if isinstance(value, list) else value

    return str(encode_canonical(plain(signed))).encode()


def _time(name: str, value: Any) -> datetime:
    try:
        time = datetime.fromisoformat(value)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, TypeError):
        pass
    raise NeoError(f"campaign {name} {value!r}; a time with its zone as 2026-11-28T12:00:00Z is allowed")


def _said(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _strings(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) and v.strip() for v in value)
