"""A prompt of the form verb + colour + object (and another) (+ relation + place) as a :class:`Task`.

>>> parse("put the red bottle next to the green cup", vocabulary)
Task(verb='place', target=Query('red', 'bottle'), relation='next_to', place=Query('green', 'cup'))
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from neo_description.errors import RefusedError

EXAMPLE = "pick up the red bottle"
LANGUAGE = Path(__file__).with_name("language.yaml")
MAX_LENGTH = 200
TABLE = "table"
TURNED = ("left", "right")  # sides of a landmark: "to the left of"


class PromptError(RefusedError):
    """The prompt is not understood; the message says which part and what is known."""


@dataclass(frozen=True)
class Query:
    """Which object is meant: a colour, a class, or both; ``class_name`` may be ``table``."""

    color: str = ""
    class_name: str = ""

    def matches(self, color: str, class_name: str) -> bool:
        """Whether a thing of this colour and class may be meant."""
        return self.color in ("", color) and self.class_name in ("", class_name)

    def __str__(self) -> str:
        return f"{self.color} {self.class_name or 'object'}".strip()


@dataclass(frozen=True)
class Task:
    """What the robot is asked: ``verb`` of ``language.yaml``, the object, and where to.

    ``relation``: of a place, or the direction of a push. ``more``: objects after the first, in their order.
    """

    verb: str
    target: Query
    relation: str = ""
    place: Query = Query()
    more: tuple[Query, ...] = ()

    @property
    def each(self) -> tuple[str, ...]:
        """What is to be put somewhere, one prompt for each thing, in the words that models are trained on."""
        where = self.relation.replace("_", " ")
        where = f"to the {where}" if where.startswith(TURNED) else where
        return tuple(f"put the {thing} {where} the {self.place}" for thing in (self.target, *self.more))


@dataclass(frozen=True)
class Vocabulary:
    """Phrase → meaning, each as a tuple of words → name."""

    verbs: dict[tuple[str, ...], str]
    relations: dict[tuple[str, ...], str]
    directions: dict[tuple[str, ...], str]
    classes: dict[tuple[str, ...], str]
    colors: dict[tuple[str, ...], str]
    fillers: frozenset[str]


def _phrases(table: dict[str, list[str]]) -> dict[tuple[str, ...], str]:
    return {tuple(phrase.split()): name for name, phrases in table.items() for phrase in phrases}


def vocabulary(colors: list[str], classes: list[str]) -> Vocabulary:
    """The words of ``language.yaml`` over these colour and class names."""
    words = yaml.safe_load(LANGUAGE.read_text())
    kinds = {name: [name, f"{name}s", *words["classes"].get(name, [])] for name in classes}
    return Vocabulary(
        verbs=_phrases(words["verbs"]),
        relations=_phrases(words["relations"]),
        directions=_phrases(words["directions"]),
        classes=_phrases(kinds) | _phrases(words["places"]),
        colors=_phrases({name: [name, *words["colors"].get(name, [])] for name in colors}),
        fillers=frozenset(words["fillers"]),
    )


def _match(words: list[str], phrases: dict[tuple[str, ...], str]) -> tuple[str, int]:
    """Name and length of the longest phrase that ``words`` begin with; ``("", 0)`` if none does."""
    for length in range(min(5, len(words)), 0, -1):
        name = phrases.get(tuple(words[:length]))
        if name is not None:
            return name, length
    return "", 0


def _known(phrases: dict[tuple[str, ...], str]) -> str:
    return ", ".join(dict.fromkeys(phrases.values()))


def _query(words: list[str], vocab: Vocabulary) -> tuple[Query, list[str]]:
    """The object that ``words`` begin with, and the words behind it."""
    color = class_name = ""
    while words:
        if words[0] in vocab.fillers or words[0] in ("object", "thing", "one"):
            words = words[1:]
            continue
        name, length = _match(words, vocab.colors)
        if length and not color and not class_name:
            color, words = name, words[length:]
            continue
        name, length = _match(words, vocab.classes)
        if length and not class_name:
            class_name, words = name, words[length:]
            continue
        break
    return Query(color, class_name), words


def _unknown(words: list[str], vocab: Vocabulary, prompt: str) -> PromptError:
    return PromptError(
        f"do not know {' '.join(words)!r} in {prompt!r}; objects: {_known(vocab.classes)}; "
        f"colours: {_known(vocab.colors)}"
    )


def parse(prompt: str, vocab: Vocabulary) -> Task:
    """``prompt`` as a :class:`Task`; :class:`PromptError` names the part that is not understood."""
    if len(prompt) > MAX_LENGTH:
        raise PromptError(f"the prompt has {len(prompt)} characters; at most {MAX_LENGTH} are read")
    words = "".join(c if c.isalnum() or c.isspace() else " " for c in prompt.lower()).split()
    while words and words[0] in vocab.fillers:
        words = words[1:]
    if not words:
        raise PromptError(f"the prompt is empty; try {EXAMPLE!r}")
    verb, length = _match(words, vocab.verbs)
    if not length:
        raise PromptError(
            f"no verb at the start of {prompt!r}; one of {_known(vocab.verbs)}; try {EXAMPLE!r}"
        )
    target, rest = _query(words[length:], vocab)
    if verb == "place" and rest == ["down"]:
        verb, rest = "release", []
    if target == Query() and verb != "release":
        if rest:
            raise _unknown(rest, vocab, prompt)
        raise PromptError(f"no object in {prompt!r}; try {EXAMPLE!r}")
    if target.class_name == TABLE and verb != "look":
        raise PromptError(f"cannot {verb} the table; objects: {_known(vocab.classes)}")
    more: tuple[Query, ...] = ()
    while rest and rest[0] == "and":
        another, left = _query(rest[1:], vocab)
        if another == Query():
            raise _unknown(rest, vocab, prompt)
        more, rest = (*more, another), left
    if any(query.class_name == TABLE for query in more):
        raise PromptError(f"cannot {verb} the table; objects: {_known(vocab.classes)}")
    if more and verb != "place":
        raise PromptError(f"only 'put' takes several objects; {prompt!r} has {1 + len(more)}")
    if verb == "push":
        direction, length = _match(rest, vocab.directions)
        if rest[length:]:
            raise _unknown(rest, vocab, prompt)
        return Task(verb, target, direction)
    relation, length = _match(rest, vocab.relations)
    place = Query()
    if length:
        place, rest = _query(rest[length:], vocab)
        if place == Query():
            if rest:
                raise _unknown(rest, vocab, prompt)
            raise PromptError(f"{prompt!r} ends before it says what {relation.replace('_', ' ')}")
    if rest:
        raise _unknown(rest, vocab, prompt)
    if verb == "place" and not relation:
        raise PromptError(f"{prompt!r} does not say where to; try 'put the {target} on the table'")
    if verb != "place" and relation:
        raise PromptError(f"only 'put' takes a place; {prompt!r} has {relation.replace('_', ' ')!r}")
    return Task(verb, target, relation, place, more)
