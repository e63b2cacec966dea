"""Known vulnerabilities of every pinned package, asked of a public service. `make audit` runs it.

Usage: python tools/audit.py PIP_AUDIT [CONSTRAINTS]

Exit codes: 0 none known, 1 some are, 2 not every package could be asked for, 3 nobody could be asked: nothing
was checked then. pip-audit itself says "none" and ends with 0 when it could ask for no package at all.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

NONE, SOME, NOT_ALL, NOTHING = range(4)


def verdict(report: str, errors: str) -> tuple[int, str]:
    """Exit code and words for what pip-audit printed as JSON (``report``) and beside it."""
    try:
        rows = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = (errors.strip().splitlines() or ["it said nothing"])[-1]
        return (
            NOTHING,
            f"NOTHING WAS CHECKED: the service that knows vulnerabilities was not reached ({last})",
        )
    asked = [row for row in rows if "vulns" in row]
    skipped = [row["name"] for row in rows if "vulns" not in row]
    found = [
        f"{row['name']} {row['version']}: {hole['id']} (fixed in {', '.join(hole['fix_versions']) or 'none'})"
        for row in asked
        for hole in row["vulns"]
    ]
    if not asked:
        return (
            NOTHING,
            f"NOTHING WAS CHECKED: the service knows none of {len(skipped)} packages, or was not reached",
        )
    missing = f"; not asked for: {', '.join(skipped)}" if skipped else ""
    if found:
        return SOME, "\n".join(
            [f"{len(found)} known vulnerabilities in {len(asked)} packages{missing}", *found]
        )
    return NOT_ALL if skipped else NONE, f"no known vulnerability in {len(asked)} packages{missing}"


def main(pip_audit: str, constraints: str) -> int:
    """Asks for all in ``constraints``; nothing is installed or resolved."""
    words = [
        pip_audit,
        "-r",
        constraints,
        "--no-deps",
        "--disable-pip",
        "--progress-spinner",
        "off",
        "-f",
        "json",
    ]
    done = subprocess.run(words, capture_output=True, text=True)
    code, text = verdict(done.stdout, done.stderr)
    print(f"audit: {text}", file=sys.stderr if code else sys.stdout)
    return code


if __name__ == "__main__":
    default = Path(__file__).parents[1] / "requirements" / "constraints.txt"
    raise SystemExit(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else str(default)))
