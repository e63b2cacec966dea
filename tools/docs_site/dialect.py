"""GitHub's Markdown as Python-Markdown reads it.

Python-Markdown wants a blank line before a list, a table or a fence and behind the latter two, and four
spaces in front of what belongs to a list's item, where the repository has two or three.
"""

from __future__ import annotations

import re

FENCE = re.compile(r"( *)(```+|~~~+)")
ITEM = re.compile(r"(?:[-*+]|\d+\.) ")


def kind(line: str) -> str:
    """What a line is, taken alone: blank, table, item, heading, fence, inside (of an item) or text."""
    if not line.strip():
        return "blank"
    if FENCE.match(line):
        return "fence"
    if line.startswith("|"):
        return "table"
    if line.startswith("#"):
        return "heading"
    if ITEM.match(line):
        return "item"
    return "inside" if line.startswith("  ") else "text"


def adapt(text: str) -> str:
    """``text``, spaced as Python-Markdown needs it; what it says stays the same."""
    out: list[str] = []
    block, in_list, fence, shift = "blank", False, "", ""  # block: kind of the lines since the last blank one
    begun = "blank"  # what the block's first line was, taken alone
    for line in text.splitlines():
        if fence:
            out.append(shift + line if line else line)
            if line.strip() == fence:
                fence = ""
            continue
        alone = now = kind(line)
        if now == "text" and block == "item":
            now = "item"  # an item that runs over two lines
        if now == "inside":
            now = "item" if in_list else "text"
        if now == "fence":
            fence = FENCE.match(line)[2]  # type: ignore[index]
            in_list = in_list and line.startswith(" ")
        elif now != "blank":
            in_list = now == "item"
        indent = len(line) - len(line.lstrip())
        shift = " " * (4 - indent) if in_list and indent in (2, 3) else ""
        apart = now != block or (alone == "item" and begun == "inside")
        if "blank" not in (block, now) and apart:
            out.append("")
        if apart:
            begun = alone
        out.append(shift + line)
        block = now
    return "\n".join(out) + "\n"
