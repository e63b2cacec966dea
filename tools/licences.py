"""Licences of everything that runs: docs/reference/licences.md. Usage: python tools/licences.py [--check]

What the requirements of runtime, ROS and Ray pull in, by what each installed package says of itself, else by
the `package.xml` that ROS packages bring. `--check` writes nothing, and ends with 1 when the page is old.
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "licences.md"
FILES = ("runtime.txt", "ros.txt", "ray.txt")
# where a package says nothing, or not all; looked up in what it ships
SAID = {
    "apsw": "any OSI licence",
    "docutils": "Public Domain AND BSD-2-Clause AND PSF; an Emacs mode that is not installed is GPL",
    "ros-fastcdr": "Apache-2.0",
    "ros-fastdds": "Apache-2.0",
    "setuptools": "MIT",
    "tensorboard-data-server": "Apache-2.0",
}
# programs and libraries inside a wheel that its own licence does not speak of
INSIDE = {
    "av": "FFmpeg (LGPL), and beside it x264 and x265 (GPL-2.0-or-later)",
    "opencv-python": "FFmpeg (LGPL-2.1), Qt (LGPL-3.0)",
}
HEAD = """# Licences of what runs

Made by `tools/licences.py`; a test keeps it true. Ours: Apache-2.0. These are installed by the set-up, none
is copied into this repository. No Python package here is GPL or AGPL; `qpsolvers` is LGPL-3.0.
**Two wheels bring libraries of other licences along:** {inside}.
Whoever hands on an image with these wheels in it hands those on, too, under their terms; leave `av` out or
build it without x264 and x265 if you do not want that.

| package | version | licence |
|---|---|---|
"""


def installed() -> dict[str, importlib.metadata.Distribution]:
    """Name → distribution of everything that the requirements pull in here."""
    found: dict[str, importlib.metadata.Distribution] = {}
    lines = [line for name in FILES for line in (ROOT / "requirements" / name).read_text().splitlines()]
    waiting = [line for line in lines if line and not line.startswith("#")]
    while waiting:
        wanted = Requirement(waiting.pop())
        name = canonicalize_name(wanted.name)
        if name in found or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:  # of another platform
            continue
        waiting += found[name].requires or []
    return dict(sorted(found.items()))


def licence(name: str, package: importlib.metadata.Distribution) -> str:
    """In the package's own words, one line; "" when it says nothing."""
    about: Any = package.metadata
    classified = [
        row.split(" :: ")[-1] for row in about.get_all("Classifier") or [] if row.startswith("License ::")
    ]
    free = (about.get("License") or "").strip()
    short = (
        free if "\n" not in free and len(free) <= 60 and "opyright" not in free and "===" not in free else ""
    )
    said = SAID.get(name) or about.get("License-Expression") or ", ".join(classified) or short
    return said or ros_licence(name)


def ros_licence(name: str) -> str:
    """Of the `package.xml` that a ROS package brings."""
    stem = name.removeprefix("ros-").replace("-", "_")
    file = Path(sys.prefix) / "share" / stem / "package.xml"
    if not file.is_file():
        return ""
    return " AND ".join(node.text or "" for node in ElementTree.parse(file).iter("license"))  # noqa: S314


def viral(text: str) -> bool:
    """Whether these words name the GPL or AGPL; the LGPL is another licence."""
    return bool(re.search(r"(?<!L)(?<!Lesser )\bA?GPL|(?<!Lesser )General Public License|Affero", text))


def page() -> str:
    """The page as it should be."""
    inside = "; ".join(f"`{name}`: {text}" for name, text in INSIDE.items())
    rows = [f"| {name} | {package.version.split('+')[0]} | {licence(name, package)} |"
            for name, package in installed().items()]  # fmt: skip
    return HEAD.format(inside=inside) + "\n".join(rows) + "\n"


if __name__ == "__main__":
    made = page()
    if "--check" in sys.argv:
        raise SystemExit(PAGE.read_text() != made)
    PAGE.write_text(made)
