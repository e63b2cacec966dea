"""Pages whose text lies outside ``docs/``, and links between the repository's files as the site has them."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

# file of the repository → page of the site
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "models/neo/README.md": "reference/first-model.md",
}
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
FENCED = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)


def relink(text: str, page: str, known: set[str], root: Path) -> str:
    """``text`` of ``page`` with every link leading to where the site has its file.

    A file of the repository that the site has not stays as plain words; one that is nowhere stays a link,
    which the strict build refuses. ``known``: paths in the site's source.
    """
    source = next((file for file, made in PAGES.items() if made == page), f"docs/{page}")

    def changed(found: re.Match[str]) -> str:
        picture, words, target = found[1], found[2], found[3]
        path, hash_, anchor = target.partition("#")
        if not path or re.match(r"[a-z]+:", target):
            return found[0]
        file = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        if file == "docs/decisions":
            file = "docs/decisions/README.md"
        there = PAGES.get(file, file.removeprefix("docs/"))
        if there.startswith("notebooks/") and there.endswith(".py"):
            there = there.removesuffix(".py") + ".md"  # the page that its run makes
        if there in known:
            way = posixpath.relpath(there, posixpath.dirname(page) or ".")
            return f"{picture}[{words}]({way}{hash_}{anchor})"
        return words if (root / file).exists() and not picture else found[0]

    parts = FENCED.split(text)
    return "".join(part if i % 2 else LINK.sub(changed, part) for i, part in enumerate(parts))
