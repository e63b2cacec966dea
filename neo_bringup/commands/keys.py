"""``neo keys``: the keys that releases are signed with."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.table import Table

from neo_bringup import output

HELP = "make, list, exchange and revoke signing keys: neo keys create KEYS"
KINDS = ("image", "director")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser(
        "create", help="all keys that a fleet needs, or more of one role; NEO_KEY_PASSPHRASE encrypts them"
    )
    create.add_argument("keys", type=Path, help="folder; root keys belong to three people: move two away")
    create.add_argument(
        "--role", help="one key of this role instead: root, targets, canary, snapshot, timestamp"
    )
    listed = actions.add_parser("list", help="what keys there are, and what a fleet trusts them for")
    listed.add_argument("keys", type=Path, nargs="+", help="folders")
    listed.add_argument("--fleet", type=Path)
    output.add_json(listed, "them")
    rotate = actions.add_parser("rotate", help="a new key for a role in place of an old one")
    rotate.add_argument("role", help="root, targets, canary, snapshot or timestamp")
    rotate.add_argument("--old", help="start of the id of the key that goes; needed for root")
    revoke = actions.add_parser("revoke", help="nobody believes a key any more; a new one takes its place")
    revoke.add_argument("key", help="start of its id")
    for action in (rotate, revoke):
        action.add_argument("--fleet", type=Path, required=True)
        action.add_argument("--kind", choices=KINDS, default="image", help="which repository; default image")
        action.add_argument(
            "--keys", type=Path, action="append", required=True,
            help="folder with keys that sign; may be repeated; the new key goes into the first",
        )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """0: done. NeoError (2): refused, nothing changed."""
    return {"create": _create, "list": _list, "rotate": _rotate, "revoke": _revoke}[args.action](args)


def _create(args: argparse.Namespace) -> int:
    from neo_description.errors import NeoError
    from neo_flywheel.update import clock, keys
    from neo_flywheel.update.fleet import create_keys
    from neo_flywheel.update.rules import IMAGE

    if args.role and args.role not in IMAGE:
        raise NeoError(f"no role {args.role!r}; one of {', '.join(IMAGE)}")
    now = clock.utc_now()
    made = [keys.create(args.keys, args.role, now)] if args.role else create_keys(args.keys, now)
    for key in made:
        print(key.private)
    plain = [key for key in made if key.state == "plain"]
    if plain:
        print(f"keys are not encrypted: set {keys.PASSPHRASE} before making them, and keep the folder safe")
    return 0


def _list(args: argparse.Namespace) -> int:
    from neo_flywheel.update import keys
    from neo_flywheel.update.fleet import Fleet

    trusted: dict[str, list[str]] = {}
    for kind in KINDS if args.fleet else ():
        for role, ids in Fleet(args.fleet).repository(kind).trusted().items():
            for keyid in ids:
                trusted.setdefault(keyid, []).append(f"{kind} {role}")
    found = keys.find(args.keys)
    facts = [
        {"key": key.keyid, "role": key.role, "made": key.made, "private": key.state,
         "trusted": trusted.get(key.keyid, [])} for key in found.values()
    ] + [
        {"key": keyid, "role": None, "made": None, "private": "not here", "trusted": roles}
        for keyid, roles in trusted.items() if keyid not in found
    ]  # fmt: skip
    if output.put_json(args.json, facts):
        return 0
    table = Table(box=None)
    for column in ("key", "made for", "made", "private half", "trusted for"):
        table.add_column(column, overflow="fold")
    for key in found.values():
        signs = ", ".join(trusted.pop(key.keyid, [])) or ("nothing" if args.fleet else "")
        table.add_row(key.keyid[:8], key.role, key.made, key.state, signs)
    for keyid, roles in trusted.items():
        table.add_row(keyid[:8], "", "", "not here", ", ".join(roles))
    output.console().print(table)
    return 0


def _rotate(args: argparse.Namespace) -> int:
    from neo_description.errors import NeoError
    from neo_flywheel.update.fleet import Fleet

    ids = Fleet(args.fleet).repository(args.kind).trusted()
    if args.role not in ids:
        raise NeoError(f"no role {args.role!r} in {args.kind}; one of {', '.join(ids)}")
    old = [keyid for keyid in ids[args.role] if keyid.startswith(args.old or "")]
    if len(old) != 1:
        raise NeoError(
            f"--old names {len(old)} keys of {args.role}; one of {', '.join(k[:8] for k in ids[args.role])}"
        )
    return _replace(args, [args.role], old[0])


def _revoke(args: argparse.Namespace) -> int:
    from neo_description.errors import NeoError
    from neo_flywheel.update.fleet import Fleet

    ids = Fleet(args.fleet).repository(args.kind).trusted()
    hits = {keyid for keyids in ids.values() for keyid in keyids if keyid.startswith(args.key)}
    if len(hits) != 1:
        raise NeoError(f"{args.key!r} names {len(hits)} trusted keys of {args.kind}; give more of the id")
    keyid = hits.pop()
    return _replace(args, [role for role, keyids in ids.items() if keyid in keyids], keyid)


def _replace(args: argparse.Namespace, roles: list[str], gone: str) -> int:
    """A new key in place of ``gone`` for each of ``roles``; its private half stays where it was."""
    from neo_description.errors import NeoError
    from neo_flywheel.update import clock, keys
    from neo_flywheel.update.fleet import Fleet

    for role in roles:
        folder = args.keys[0] / args.kind if (args.keys[0] / args.kind).is_dir() else args.keys[0]
        new = keys.create(folder, role, clock.utc_now())
        try:
            Fleet(args.fleet, args.keys).repository(args.kind).replace_keys(role, [gone], [new])
        except NeoError:
            keys.remove(new)  # nobody ever believed it
            raise
        print(f"{args.kind} {role}: {gone[:8]} is believed no more, {new.keyid[:8]} is ({new.private})")
    return 0
