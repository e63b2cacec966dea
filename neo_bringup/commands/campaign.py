"""``neo campaign``: what may leave a robot, who may ask for it, and taking it away."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, date, datetime
from pathlib import Path

from neo_bringup import output
from neo_description.errors import NeoError

HELP = "ask robots for clips, say what may leave yours, take it away: neo campaign allow, sign, run …"
HOME = Path("runs") / "flywheel"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    allow = _action(actions, "allow", "say what may leave this robot; what is not named may not")
    for kind in ("log", "clips", "images"):
        allow.add_argument(f"--{kind}", action="store_true")
    allow.add_argument("--until", help="last day of the consent, as 2027-01-01; default: no end")
    allow.add_argument("--no-go", action="append", default=[], metavar="HH:MM-HH:MM",
                       help="local times of which nothing leaves; may be repeated")  # fmt: skip
    allow.add_argument("--daily-mb", type=float, default=200.0, help="what may leave a day, MB")
    _home(allow)
    _home(_action(actions, "withdraw", "from now on nothing leaves this robot"))
    key = _action(actions, "key", "make a key to sign with: FILE, and FILE.pub for the robots")
    key.add_argument("file", type=Path)
    sign = _action(actions, "sign", "sign a campaign")
    sign.add_argument("file", type=Path, help="JSON: campaign, version, starts, expires, triggers …")
    sign.add_argument("--key", type=Path, required=True)
    sign.add_argument("--out", type=Path, required=True)
    check = _action(actions, "check", "does a campaign hold, and what would it take of these bags?")
    check.add_argument("bags", type=Path, nargs="*")
    _asked(check)
    output.add_json(check, "campaigns and the windows that they would take")
    run_ = _action(actions, "run", "take logs, and the clips that campaigns ask for, out of bags")
    run_.add_argument("bags", type=Path, nargs="+")
    run_.add_argument("--to", type=Path, required=True, help="folder that stands for the store")
    run_.add_argument("--robot", default="neo", help="its name in the store")
    _asked(run_)
    _home(run_)
    output.add_json(run_, "how much left, and may still leave today")


def _action(actions: argparse._SubParsersAction, name: str, text: str) -> argparse.ArgumentParser:  # type: ignore[type-arg]
    return actions.add_parser(name, help=text, description=text)


def _home(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--home", type=Path, default=HOME, help=f"folder of privacy.yaml and the account; default {HOME}"
    )


def _asked(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--campaign", type=Path, action="append", default=[], help="signed; may be repeated")
    parser.add_argument("--trusted", type=Path, action="append", default=[], help="FILE.pub; may be repeated")


def run(args: argparse.Namespace) -> int:
    """0: done. NeoError (2): refused, or could not."""
    return {"allow": _allow, "withdraw": _withdraw, "key": _key, "sign": _sign, "check": _check, "run": _run}[
        args.action
    ](args)


def _allow(args: argparse.Namespace) -> int:
    from neo_flywheel.privacy import Privacy

    rows = {"log": args.log, "clips": args.clips, "images": args.images, "no_go": args.no_go}
    if not 0.0 <= args.daily_mb <= 1e9:
        raise NeoError(f"--daily-mb {args.daily_mb}; 0 or more")
    rows["daily_bytes"] = round(args.daily_mb * 1e6)
    if args.until:
        try:
            rows["until"] = date.fromisoformat(args.until)
        except ValueError:
            raise NeoError(f"--until {args.until}; a date as 2027-01-01") from None
    privacy = Privacy.parse(rows)
    privacy.save(args.home / "privacy.yaml")
    may = [kind for kind in ("log", "clips", "images") if getattr(privacy, kind)]
    print(f"{args.home / 'privacy.yaml'}: {', '.join(may) or 'nothing'} may leave")
    return 0


def _withdraw(args: argparse.Namespace) -> int:
    from neo_flywheel.privacy import Privacy

    Privacy().save(args.home / "privacy.yaml")
    print(f"{args.home / 'privacy.yaml'}: nothing may leave")
    return 0


def _key(args: argparse.Namespace) -> int:
    from neo_flywheel.campaign import new_key

    public = args.file.with_name(args.file.name + ".pub")
    pem, trusted = new_key()
    try:
        args.file.touch(mode=0o600, exist_ok=False)
        args.file.write_bytes(pem)
        public.write_text(json.dumps(trusted, indent=1) + "\n")
    except OSError as error:
        raise NeoError(f"cannot write {args.file}: {error.strerror}") from None
    print(f"{args.file}: keep it; {public}: give it to the robots")
    return 0


def _sign(args: argparse.Namespace) -> int:
    from neo_flywheel.campaign import Campaign, sign

    try:
        question, pem = json.loads(args.file.read_text()), args.key.read_bytes()
    except (OSError, ValueError) as error:
        raise NeoError(f"cannot read {args.file} or {args.key}: {error}") from None
    document = sign(Campaign.parse(question), pem)
    args.out.write_bytes(document)
    print(f"{args.out}: signed")
    return 0


def _check(args: argparse.Namespace) -> int:
    from neo_flywheel import story

    found = []
    for campaign in _campaigns(args):
        windows = [
            {"bag": str(bag), "seconds": 1e-9 * (window.last_ns - window.first_ns), "why": window.why}
            for bag in args.bags for window in campaign.windows(story.read(bag))
        ]  # fmt: skip
        about = {"campaign": campaign.campaign, "version": campaign.version}
        found.append({**about, "expires": campaign.expires.isoformat(), "windows": windows})
    if output.put_json(args.json, found):
        return 0
    for row in found:
        until = datetime.fromisoformat(row["expires"])
        print(f"{row['campaign']} {row['version']}: holds until {until:%Y-%m-%d %H:%M} UTC")
        for window in row["windows"]:
            print(f"  {window['bag']}: {window['seconds']:.1f} s, {window['why']}")
    return 0


def _run(args: argparse.Namespace) -> int:
    from neo_flywheel.courier import Courier, folder_put

    campaigns = _campaigns(args)
    courier = Courier(folder_put(args.to), args.home / "privacy.yaml", args.home)
    left = courier.carry(args.robot, args.bags, campaigns, output.progress)
    may = courier.left_today()
    if not output.put_json(args.json, {"to": str(args.to), "left": left, "may_still_leave_bytes": may}):
        print(f"{left} things left for {args.to}; {may / 1e6:.1f} MB may still leave today")
    return 0


def _campaigns(args: argparse.Namespace):  # type: ignore[no-untyped-def]
    from neo_flywheel.campaign import trusted_keys, verify

    trusted, now = trusted_keys(args.trusted), datetime.now(UTC)
    found = []
    for file in args.campaign:
        try:
            found.append(verify(file.read_bytes(), trusted, now))
        except OSError as error:
            raise NeoError(f"cannot read {file}: {error.strerror}") from None
        except NeoError as error:
            raise NeoError(f"{file}: {error}") from None
    return found
