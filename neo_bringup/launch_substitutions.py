"""Substitutions of the ROS 2 XML launch format: ``$(var x)``, ``$(env X default)``, ``$(find-pkg-share p)``,
``$(dirname)``; nested ones too. Any other is refused by name."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

SUPPORTED = ("var", "env", "find-pkg-share", "dirname")


class SubstitutionError(ValueError):
    """Says which substitution failed and why; the caller adds file and line."""


@dataclass(frozen=True)
class Scope:
    """What substitutions see: launch arguments, environment, and the launch file's folder."""

    variables: Mapping[str, str]
    environment: Mapping[str, str]
    directory: Path


def expand(text: str, scope: Scope) -> str:
    """``text`` with every ``$(…)`` replaced; SubstitutionError names the one that cannot be."""
    out, i = "", 0
    while i < len(text):
        if text.startswith("$(", i):
            body, i = _body(text, i + 2)
            out += _evaluate(expand(body, scope), scope)
        else:
            out += text[i]
            i += 1
    return out


def _body(text: str, start: int) -> tuple[str, int]:
    depth = 1
    for i in range(start, len(text)):
        if text.startswith("$(", i):
            depth += 1
        elif text[i] == ")":
            depth -= 1
            if depth == 0:
                return text[start:i], i + 1
    raise SubstitutionError(f"{text!r}: a '$(' has no ')'")


def _evaluate(body: str, scope: Scope) -> str:
    words = shlex.split(body)
    name, arguments = (words[0], words[1:]) if words else ("", [])
    if name not in SUPPORTED:
        listed = ", ".join(f"$({known})" for known in SUPPORTED)
        raise SubstitutionError(f"substitution $({name}) is not supported; one of {listed}")
    return EVALUATORS[name](arguments, scope)


def _var(arguments: list[str], scope: Scope) -> str:
    if not 1 <= len(arguments) <= 2:
        raise SubstitutionError("$(var NAME [DEFAULT]) takes a name and maybe a default")
    if arguments[0] in scope.variables:
        return scope.variables[arguments[0]]
    if len(arguments) == 2:
        return arguments[1]
    listed = ", ".join(sorted(scope.variables)) or "none"
    raise SubstitutionError(f"$(var {arguments[0]}): no such argument here; there are: {listed}")


def _env(arguments: list[str], scope: Scope) -> str:
    if not 1 <= len(arguments) <= 2:
        raise SubstitutionError("$(env NAME [DEFAULT]) takes a name and maybe a default")
    value = scope.environment.get(arguments[0], arguments[1] if len(arguments) == 2 else None)
    if value is None:
        raise SubstitutionError(f"$(env {arguments[0]}): the environment variable is not set")
    return value


def _find_pkg_share(arguments: list[str], scope: Scope) -> str:
    if len(arguments) != 1:
        raise SubstitutionError("$(find-pkg-share PACKAGE) takes one name")
    for prefix in prefixes(scope.environment):
        if (prefix / "share" / "ament_index" / "resource_index" / "packages" / arguments[0]).exists():
            return str(prefix / "share" / arguments[0])
    raise SubstitutionError(f"$(find-pkg-share {arguments[0]}): no such package in AMENT_PREFIX_PATH")


def _dirname(arguments: list[str], scope: Scope) -> str:
    if arguments:
        raise SubstitutionError("$(dirname) takes no argument")
    return str(scope.directory)


EVALUATORS: dict[str, Callable[[list[str], Scope], str]] = {
    "var": _var,
    "env": _env,
    "find-pkg-share": _find_pkg_share,
    "dirname": _dirname,
}


def prefixes(environment: Mapping[str, str]) -> list[Path]:
    """The ament prefixes, nearest first."""
    return [Path(p) for p in environment.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]


def is_name(text: str) -> bool:
    """Whether ``text`` is a valid ROS name or namespace part."""
    return re.fullmatch(r"/?([A-Za-z_][A-Za-z0-9_]*)(/[A-Za-z_][A-Za-z0-9_]*)*/?", text) is not None
