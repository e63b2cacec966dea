"""Navigation after Diátaxis: tutorial, how-to, explanation, reference; then benchmarks, decisions."""

from __future__ import annotations

from typing import Any

FIRST = {"index.md": "NEO Humanoid", "tutorial.md": "Tutorial"}
# section → its folder, and the pages that come first in it; the others follow by name
SECTIONS = {
    "How-to": ("how-to/", ("install.md", "how-to/launch.md", "how-to/watch.md")),
    "Explanation": ("explanation/", ("explanation/safety.md", "architecture.md")),
    "Reference": ("reference/", ("reference/cli.md", "reference/commands.md", "reference/exit-codes.md")),
    "Notebooks": ("notebooks/", ()),
    "Benchmarks": ("benchmarks/", ("benchmarks.md", "pusht.md")),
    "Decisions": ("decisions/", ("decisions/README.md",)),
    "Project": ("project/", ()),
}


def tree(pages: list[str]) -> list[Any]:
    """MkDocs' ``nav``: each of ``pages`` (paths in the site's source) once; ValueError names what is left."""
    left, nav = set(pages), []
    for page, title in FIRST.items():
        if page in left:
            left.remove(page)
            nav.append({title: page})
    for section, (folder, first) in SECTIONS.items():
        rest = sorted(page for page in left if page.startswith(folder) and page not in first)
        chosen = [page for page in first if page in left] + rest
        left -= set(chosen)
        if chosen:
            nav.append({section: chosen})
    if left:
        raise ValueError(
            f"no section for {', '.join(sorted(left))}: tools/docs_site/navigation.py lists the folders"
        )
    return nav
