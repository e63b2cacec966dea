"""What a robot says of itself, signed with a key of its own: a roll-out counts nobody else's word.

    row = signed(own_key(home, now), report)     # on the robot: {"signed": report, "keyid", "sig"}
    report = opened(row, public)                 # in the lab, with the half it was told when the robot joined

The signature is over the report as JSON with sorted keys and no spaces.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import Key, Signature

from neo_description.errors import NeoError
from neo_flywheel.update import keys

ROLE = "robot"


def own_key(home: Path, now: datetime) -> keys.KeyFile:
    """The key of the robot that lives in ``home``; made where there is none."""
    folder = home / "keys"
    for key in keys.signers([folder]).values() if folder.is_dir() else ():
        return key
    return keys.create(folder, ROLE, now)


def signed(key: keys.KeyFile, report: Mapping[str, Any]) -> dict[str, Any]:
    """``report`` with its signature."""
    signature = key.signer().sign(_bytes(report))
    return {"signed": dict(report), "keyid": signature.keyid, "sig": signature.signature}


def opened(row: Mapping[str, Any], public: Key) -> dict[str, Any]:
    """The report in ``row``; NeoError unless ``public`` belongs to who signed it."""
    try:
        report = dict(row["signed"])
        public.verify_signature(Signature(row["keyid"], row["sig"]), _bytes(report))
    except UnverifiedSignatureError:
        raise NeoError(f"a report of {row['signed'].get('robot')!r} that it did not sign") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NeoError(f"no signed report: {error!r}") from None
    return report


def _bytes(report: Mapping[str, Any]) -> bytes:
    return json.dumps(report, sort_keys=True, separators=(",", ":")).encode()
