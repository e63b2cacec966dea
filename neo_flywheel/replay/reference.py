"""What a node said once and is to say again: a small bag beside the bag, with who accepted it and why.

``standing`` and node ``body_control``: ``standing.body_control.reference/`` with one MCAP file of outputs
(log times are their stamps), ``metadata.yaml`` and ``reference.yaml``. It changes by :func:`write` only.
"""

from __future__ import annotations

import platform
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from neo_description import here
from neo_description.errors import NeoError
from neo_flywheel import story
from neo_flywheel.bag import BagWriter
from neo_flywheel.message_types import TypeBook
from neo_flywheel.metadata import Qos
from neo_flywheel.replay import codec
from neo_flywheel.replay.codec import Codec
from neo_flywheel.replay.source import Source
from neo_flywheel.replay.table import Row, type_of
from neo_flywheel.replay.verdict import Outputs, Run, worth_comparing

ABOUT = "reference.yaml"


@dataclass
class About:
    """``inputs``: sha256 of what was sent. ``cost`` as it was measured, for people."""

    node: str
    commit: str
    reason: str
    time: str
    inputs: str
    driven: int
    messages: dict[str, int]
    cost: dict[str, float]
    versions: dict[str, str]
    processor: str = ""  # exact on this kind only

    @property
    def here(self) -> bool:
        """Whether numbers round here as they did there."""
        return self.processor == here.processor() and self.versions == _versions()


@dataclass
class Reference:
    about: About
    outputs: Outputs
    codec: Codec  # reads them by their own definitions


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), "numpy": np.__version__}


def place(bag: Path, node: str) -> Path:
    """Where the reference of ``bag`` lies."""
    bag = bag.resolve()
    name = bag.stem if bag.is_file() else bag.name
    return bag.with_name(f"{name}.{node}.reference")


def write(source: Source, row: Row, run: Run, reason: str, book: TypeBook, dirty: bool = False) -> Path:
    """Accepts what ``run`` said, in place of what there was.

    NeoError: there is no reason, the run was vacuous, or code differs from the commit. ``dirty``: then, too;
    the reference names the commit with ``+``.
    """
    commit, changed = here.commit().removesuffix("+"), here.changed_code()
    if not reason.strip():
        raise NeoError("a reference needs a reason: why is what the node says now right?")
    if not commit and not dirty:
        raise NeoError("no commit to name: this is no git checkout")
    if changed and not dirty:
        raise NeoError(f"{', '.join(changed[:3])} … differ from commit {commit}: commit first, then accept")
    reader = Codec(lambda name: book.find(name).definition)
    worth_comparing(run.outputs, row, reader)
    about = About(
        row.node, f"{commit}+" if changed else commit, reason.strip(),
        datetime.now(UTC).isoformat(timespec="seconds"), source.sha256, run.driven,
        {topic: len(run.outputs[topic]) for topic in row.outputs},
        {name: round(value, 1) for name, value in run.cost().items()},
        _versions(), here.processor(),
    )  # fmt: skip
    folder = place(source.bag, row.node)
    scratch = folder.with_name(f".{folder.name}.partial") / folder.name
    shutil.rmtree(scratch.parent, ignore_errors=True)  # of one that was killed
    with BagWriter(scratch, book) as bag:
        for topic, output in row.outputs.items():
            handle = bag.add_topic(topic if topic.startswith("/") else f"/{topic}", type_of(topic), Qos())
            for data in run.outputs[topic]:
                stamp = codec.nanoseconds(reader.decode(data, type_of(topic)), output.stamp)
                bag.write(handle, stamp, data)
    if bag.error:
        raise NeoError(bag.error)
    (scratch / ABOUT).write_text(yaml.safe_dump(asdict(about), sort_keys=False))
    shutil.rmtree(folder, ignore_errors=True)
    scratch.rename(folder)
    scratch.parent.rmdir()
    return folder


def read(source: Source, row: Row) -> Reference:
    """The reference of a bag; NeoError when there is none, or it was accepted for other inputs."""
    folder = place(source.bag, row.node)
    try:
        about = About(**yaml.safe_load((folder / ABOUT).read_text()))
    except FileNotFoundError:
        raise NeoError(
            f"no reference {folder}: `neo replay --accept {source.bag} --node {row.node} --reason …` makes it"
        ) from None
    except (OSError, yaml.YAMLError, TypeError) as error:
        raise NeoError(f"cannot read {folder / ABOUT}: {error}") from None
    if about.inputs != source.sha256:
        raise NeoError(f"{folder} was accepted for another bag: what {row.node} takes differs")
    outputs: Outputs = {topic: [] for topic in row.outputs}
    texts: dict[str, Any] = {}
    names = {f"/{topic.lstrip('/')}": topic for topic in row.outputs}
    for schema, channel, message in story.messages(story.bag_file(folder)):
        if schema is not None and channel.topic in names:
            texts[schema.name] = schema.data.decode()
            outputs[names[channel.topic]].append(message.data)
    reader = Codec(lambda name: texts[name])
    worth_comparing(outputs, row, reader)
    return Reference(about, outputs, reader)
