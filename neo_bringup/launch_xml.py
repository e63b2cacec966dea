"""ROS 2 XML launch files without launch_ros: :func:`load` gives the processes a file asks for.

It covers the tags that ``launch/*.xml`` use, with the meaning that launch and launch_ros give them, and
refuses every other tag, attribute and substitution by name, with file and line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neo_bringup.launch_elements import Element, LaunchError, read
from neo_bringup.launch_parameters import check_file, typed
from neo_bringup.launch_substitutions import Scope, SubstitutionError, expand, is_name
from neo_description.errors import NeoError

CONDITIONS = ("if", "unless")


@dataclass
class NodeProcess:
    """One ``<node>``: a process to start. ``parameters`` holds files and name → value mappings in order."""

    package: str
    executable: str
    name: str
    namespace: str
    arguments: list[str]
    parameters: list[Path | dict[str, Any]]
    remappings: list[tuple[str, str]]
    environment: dict[str, str]
    stops_all: bool
    where: str

    @property
    def label(self) -> str:
        return self.name or Path(self.executable).name

    @property
    def full_name(self) -> str:
        """Fully qualified node name, or ``/**`` when the launch file gives no name."""
        return f"{self.namespace.rstrip('/')}/{self.name}" if self.name else "/**"


@dataclass(frozen=True)
class Argument:
    """A declared launch argument."""

    name: str
    default: str | None
    description: str
    choices: tuple[str, ...]


@dataclass
class Launch:
    """What a launch file asks for. ``values``: the arguments of the outermost file as they came out."""

    processes: list[NodeProcess] = field(default_factory=list)
    arguments: dict[str, Argument] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)


def declared_arguments(file: Path) -> dict[str, Argument]:
    """The arguments that ``file`` itself declares, defaults unexpanded."""
    found = {}
    for element in read(file).children:
        if element.tag == "arg":
            argument = _argument(element)
            found[argument.name] = argument
    return found


def load(file: Path, arguments: dict[str, str], environment: dict[str, str]) -> Launch:
    """The processes of ``file`` started with ``arguments`` in ``environment``.

    Raises LaunchError: an unknown argument (the valid ones are listed), a missing one, anything in the
    file or its includes that is not supported or not right.
    """
    declared = declared_arguments(file)
    unknown = [name for name in arguments if name not in declared]
    if unknown:
        listed = ", ".join(declared) or "none"
        raise LaunchError(f"no launch argument {', '.join(unknown)}; there are: {listed}")
    reader = _Reader(dict(arguments), dict(environment))
    reader.file(file)
    reader.launch.arguments = declared
    reader.launch.values = {name: reader.seen[name] for name in declared if name in reader.seen}
    return reader.launch


def _argument(element: Element) -> Argument:
    element.check_attributes(("name", "default", "description", *CONDITIONS))
    element.check_children(("choice",))
    choices = tuple(child.require("value") for child in element.children)
    attributes = element.attributes
    return Argument(
        element.require("name"), attributes.get("default"), attributes.get("description", ""), choices
    )


class _Reader:
    """Walks a file in order, as launch does: ``variables`` and ``environment`` change along the way."""

    def __init__(self, variables: dict[str, str], environment: dict[str, str]):
        self.variables = variables
        self.environment = environment
        self.namespace = "/"
        self.directory = Path()
        self.including: list[Path] = []
        self.launch = Launch()
        self.seen: dict[str, str] = {}
        self.base_environment = dict(environment)

    ACTIONS = ("arg", "let", "include", "group", "push_ros_namespace", "set_env", "node")

    def file(self, file: Path) -> None:
        file = file.resolve()
        if file in self.including:
            raise LaunchError(f"{file}: the file includes itself")
        outer = self.directory
        self.directory = file.parent
        self.including.append(file)
        root = read(file)
        root.check_attributes(("version",))
        self.actions(root)
        self.including.pop()
        self.directory = outer

    def actions(self, parent: Element) -> None:
        parent.check_children(self.ACTIONS)
        handlers: dict[str, Callable[[Element], None]] = {
            "arg": self.arg,
            "let": self.let,
            "include": self.include,
            "group": self.group,
            "push_ros_namespace": self.push_ros_namespace,
            "set_env": self.set_env,
            "node": self.node,
        }
        for child in parent.children:
            if self.holds(child):
                handlers[child.tag](child)

    def expand(self, element: Element, text: str) -> str:
        try:
            return expand(text, Scope(self.variables, self.environment, self.directory))
        except SubstitutionError as error:
            raise element.refuse(str(error)) from None

    def attribute(self, element: Element, name: str, default: str | None = None) -> str:
        text = element.attributes.get(name, default) if default is not None else element.require(name)
        return self.expand(element, text or "")

    def truth(self, element: Element, name: str, text: str) -> bool:
        value = self.expand(element, text).strip().lower()
        if value not in ("true", "1", "false", "0"):
            raise element.refuse(f"{name}={value!r} of <{element.tag}> is neither true nor false")
        return value in ("true", "1")

    def holds(self, element: Element) -> bool:
        if "if" in element.attributes and "unless" in element.attributes:
            raise element.refuse(f"<{element.tag}> has both if and unless")
        for name in CONDITIONS:
            if name in element.attributes:
                return self.truth(element, name, element.attributes[name]) == (name == "if")
        return True

    def arg(self, element: Element) -> None:
        argument = _argument(element)
        if argument.name not in self.variables:
            if argument.default is None:
                raise element.refuse(f"the argument {argument.name} has no default: give {argument.name}:=…")
            self.variables[argument.name] = self.expand(element, argument.default)
        value = self.variables[argument.name]
        if argument.choices and value not in argument.choices:
            listed = ", ".join(argument.choices)
            raise element.refuse(f"{argument.name}:={value} is none of {listed}")
        self.seen.setdefault(argument.name, value)

    def let(self, element: Element) -> None:
        element.check_attributes(("name", "value", *CONDITIONS))
        self.variables[element.require("name")] = self.attribute(element, "value")

    def set_env(self, element: Element) -> None:
        element.check_attributes(("name", "value", *CONDITIONS))
        self.environment[element.require("name")] = self.attribute(element, "value")

    def include(self, element: Element) -> None:
        element.check_attributes(("file", *CONDITIONS))
        element.check_children(("arg",))
        given = {}
        for child in element.children:
            child.check_attributes(("name", "value"))
            given[child.require("name")] = self.attribute(child, "value")
        self.variables.update(given)
        file = Path(self.attribute(element, "file"))
        if not file.is_file():
            raise element.refuse(f"no launch file {file}")
        self.file(file)

    def group(self, element: Element) -> None:
        element.check_attributes(("scoped", *CONDITIONS))
        scoped = self.truth(element, "scoped", element.attributes.get("scoped", "true"))
        kept = dict(self.variables), dict(self.environment), self.namespace
        self.actions(element)
        if scoped:
            self.variables, self.environment, self.namespace = kept

    def push_ros_namespace(self, element: Element) -> None:
        element.check_attributes(("namespace", *CONDITIONS))
        self.namespace = self.joined(element, self.attribute(element, "namespace"))

    def joined(self, element: Element, namespace: str) -> str:
        if namespace and namespace != "/" and not is_name(namespace):
            raise element.refuse(f"{namespace!r} is no ROS namespace")
        parts = namespace.strip("/")
        if namespace.startswith("/") or self.namespace == "/":
            return f"/{parts}"
        return f"{self.namespace}/{parts}" if parts else self.namespace

    def node(self, element: Element) -> None:
        element.check_attributes(
            ("pkg", "exec", "name", "namespace", "args", "output", "on_exit", "emulate_tty", *CONDITIONS)
        )
        element.check_children(("param", "remap", "env"))
        on_exit = element.attributes.get("on_exit", "")
        if on_exit not in ("", "shutdown"):
            raise element.refuse(f"on_exit={on_exit!r} is not supported; only shutdown")
        name = self.attribute(element, "name", "")
        if name and (not is_name(name) or "/" in name):
            raise element.refuse(f"{name!r} is no ROS node name")
        process = NodeProcess(
            package=self.attribute(element, "pkg", ""),
            executable=self.attribute(element, "exec"),
            name=name,
            namespace=self.joined(element, self.attribute(element, "namespace", "")),
            arguments=self.attribute(element, "args", "").split(),
            parameters=[],
            remappings=[],
            environment={k: v for k, v in self.environment.items() if self.base_environment.get(k) != v},
            stops_all=on_exit == "shutdown",
            where=element.where,
        )
        for child in element.children:
            if child.tag == "param":
                self.param(child, process)
            elif child.tag == "remap":
                child.check_attributes(("from", "to"))
                process.remappings.append((self.attribute(child, "from"), self.attribute(child, "to")))
            else:
                child.check_attributes(("name", "value"))
                process.environment[child.require("name")] = self.attribute(child, "value")
        self.launch.processes.append(process)

    def param(self, element: Element, process: NodeProcess) -> None:
        if "from" in element.attributes:
            element.check_attributes(("from",))
            file = Path(self.attribute(element, "from"))
            try:
                check_file(file)
            except NeoError as error:
                raise LaunchError(f"{error} (asked for in {element.where})") from None
            process.parameters.append(file)
            return
        element.check_attributes(("name", "value", "type"))
        name = self.attribute(element, "name")
        try:
            value = typed(self.attribute(element, "value"), element.attributes.get("type"))
        except ValueError as error:
            raise element.refuse(f"parameter {name}: {error}") from None
        process.parameters.append({name: value})
