"""Reference pages, made of the data that the code itself reads: one fact in one place."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import yaml
from commands_page import commands, page_exit_codes

from neo_description.parameters import Parameter, declared

HEADS = {
    "parameters": """# Parameters

*Made from each room's `parameters.yaml` when this site is built.*

Given in `config/neo.yaml`, a launch file, or `-p NAME:=VALUE`. A value of another type or outside its bounds
is refused at start by name. Bounds are inclusive; *fixed*: not while the node runs.
""",
    "topics": """# Topics, actions and services

*Made from `neo_description/graph.yaml` when this site is built.*
""",
    "interfaces": """# Messages, services, actions

*Made from `neo_msgs/` when this site is built.* Order of joints, tendons and pads:
`neo_description/robot.yaml`. SI units, radians.
""",
    "modules": """# Python modules

*Made from their docstrings when this site is built.* Arguments, shapes, units, frames and errors stand in
each function's docstring: `python -m pydoc neo_hand_control.controller`. The cores' interfaces at a glance:
[architecture](../architecture.md#cores-in-process-api).
""",
}
KINDS = {"msg": "Messages", "srv": "Services", "action": "Actions"}


def pages(root: Path) -> dict[str, str]:
    """Path in the site's source → its Markdown."""
    return {
        "reference/parameters.md": parameters(root),
        "reference/topics.md": topics(root),
        "reference/interfaces.md": interfaces(root),
        "reference/modules.md": modules(root),
        "reference/commands.md": commands(),
        "reference/exit-codes.md": page_exit_codes(),
    }


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table; ``|`` in a cell is escaped."""
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: object) -> str:
    """``text`` as code; nothing for nothing."""
    return f"`{text}`" if str(text) else ""


def parameters(root: Path) -> str:
    """Every ``parameters.yaml``, a section a file and a table for each comment in it."""
    parts = [HEADS["parameters"]]
    for file in sorted(root.glob("neo_*/**/parameters.yaml")):
        known = declared(file)
        parts.append(f"\n## `{file.parent.relative_to(root)}`\n")
        rows: list[tuple[str, ...]] = []
        heads = ("parameter", "type", "default", "unit", "allowed", "what it is")
        for line in file.read_text().splitlines():
            if line.startswith("# "):
                parts += [table(heads, rows)] if rows else []
                parts.append(f"\n**{line[2:]}**\n")
                rows = []
            elif found := re.match(r"(\w+):", line):
                rows.append(parameter(known[found[1]]))
        parts.append(table(heads, rows))
    return "\n".join(parts) + "\n"


def parameter(row: Parameter) -> tuple[str, ...]:
    """A row of the table."""
    allowed = ", ".join(code(value) for value in row.one_of)
    if row.bounds is not None:
        allowed = f"{row.bounds[0]:g} … {row.bounds[1]:g}"
    said = row.description + (" (fixed)" if row.read_only else "")
    default = '""' if row.default == "" else str(row.default).lower() if row.type == "bool" else row.default
    return code(row.name), row.type, code(default), row.unit, allowed, said


def topics(root: Path) -> str:
    """``graph.yaml``: topics, actions, services."""
    file = root / "neo_description" / "graph.yaml"
    graph = yaml.safe_load(file.read_text())
    rows = []
    for name, row in graph["topics"].items():
        rate = f"{row['rate']:g}" if row["rate"] else "on change"
        rows.append((code(name), interface(row["type"], root), rate, row["qos"]))
    about = " ".join(line[2:] for line in file.read_text().splitlines()[:4])
    parts = [HEADS["topics"], about, "", table(("topic", "type", "Hz", "qos"), rows)]
    for key in ("actions", "services"):
        rows = [(code(name), interface(row["type"], root)) for name, row in graph[key].items()]
        parts += [f"\n## {key.capitalize()}\n", table((key[:-1], "type"), rows)]
    return "\n".join(parts) + "\n"


def interface(name: str, root: Path) -> str:
    """The type's name; a link where it is one of ours."""
    package, kind, short = name.split("/")
    ours = package == "neo_msgs" and (root / "neo_msgs" / kind / f"{short}.{kind}").is_file()
    return f"[`{name}`](interfaces.md#{short.lower()})" if ours else code(name)


def interfaces(root: Path) -> str:
    """Every ``.msg``, ``.srv`` and ``.action`` of ``neo_msgs``, as it stands there."""
    parts = [HEADS["interfaces"]]
    for folder, title in KINDS.items():
        parts.append(f"\n## {title}")
        for file in sorted((root / "neo_msgs" / folder).glob(f"*.{folder}")):
            name, text = file.stem, file.read_text().rstrip()
            parts.append(f"\n### {name}\n\n`neo_msgs/{folder}/{name}`\n\n```\n{text}\n```")
    return "\n".join(parts) + "\n"


def modules(root: Path) -> str:
    """What each module of ours is, in the first words of its docstring."""
    parts = [HEADS["modules"]]
    for room in sorted(path.parent for path in root.glob("neo_*/__init__.py")):
        said = first(room / "__init__.py")
        rows = [(code(".".join(file.relative_to(root).with_suffix("").parts)), first(file))
                for file in sorted(room.rglob("*.py")) if file.name != "__init__.py"]  # fmt: skip
        parts += [f"\n## `{room.name}`\n", said, "", table(("module", "what it is"), rows)]
    return "\n".join(parts) + "\n"


def first(file: Path) -> str:
    """First line of a module's docstring, with code as Markdown has it."""
    said = (ast.get_docstring(ast.parse(file.read_text())) or "").strip().split("\n\n")[0]
    said = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", " ".join(said.split()))
    return re.sub(r"``([^`]+)``", r"`\1`", said)
