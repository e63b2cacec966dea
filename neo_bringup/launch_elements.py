"""An XML launch file as a tree of elements that know their line, for error messages people can act on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from neo_description.errors import NeoError


class LaunchError(NeoError):
    """A launch file cannot be run; the message starts with ``file:line``."""


@dataclass
class Element:
    """One tag. ``where`` is ``file:line``."""

    tag: str
    attributes: dict[str, str]
    file: Path
    line: int
    children: list[Element] = field(default_factory=list)

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"

    def refuse(self, message: str) -> LaunchError:
        """The error to raise about this element."""
        return LaunchError(f"{self.where}: {message}")

    def require(self, name: str) -> str:
        """The attribute ``name``; LaunchError when it is missing."""
        if name not in self.attributes:
            raise self.refuse(f"<{self.tag}> needs the attribute {name}")
        return self.attributes[name]

    def check_attributes(self, allowed: tuple[str, ...]) -> None:
        """LaunchError when an attribute is none of ``allowed``."""
        for name in self.attributes:
            if name not in allowed:
                raise self.refuse(
                    f"attribute {name!r} of <{self.tag}> is not supported; one of {', '.join(allowed)}"
                )

    def check_children(self, allowed: tuple[str, ...]) -> None:
        """LaunchError when a child's tag is none of ``allowed``."""
        for child in self.children:
            if child.tag not in allowed:
                listed = f"one of {', '.join(allowed)}" if allowed else "it takes no tags"
                raise child.refuse(f"tag <{child.tag}> inside <{self.tag}> is not supported; {listed}")


def read(file: Path) -> Element:
    """The root element of ``file``; LaunchError when it cannot be read, is cut short or is no <launch>."""
    try:
        text = file.read_bytes()
    except OSError as error:
        raise LaunchError(f"{file}: cannot read the launch file: {error.strerror}") from None
    parser = expat.ParserCreate()
    stack: list[Element] = []
    roots: list[Element] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        element = Element(tag, attributes, file, parser.CurrentLineNumber)
        (stack[-1].children if stack else roots).append(element)
        stack.append(element)

    def text_inside(data: str) -> None:
        if data.strip():
            raise LaunchError(f"{file}:{parser.CurrentLineNumber}: stray text {data.strip()[:40]!r}")

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: stack.pop()
    parser.CharacterDataHandler = text_inside
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        message = expat.errors.messages[error.code]
        raise LaunchError(
            f"{file}:{error.lineno}: the launch file is broken or cut short: {message}"
        ) from None
    if roots[0].tag != "launch":
        raise roots[0].refuse(f"the root tag is <{roots[0].tag}>; it must be <launch>")
    return roots[0]
