"""What a plan would lead to, in words: why one is vetoed.

>>> would("falls", "pick up the green cup")
'the green cup would fall'
"""

from __future__ import annotations

from neo_description import objects

WOULD = {  # of episode.EVENTS those that are harm; a hidden thing is none
    "falls": "the {thing} would fall",
    "slips": "the {thing} would slip out of the hand",
    "collides": "the robot would bump into something",
}


def would(event: str, prompt: str) -> str:
    """The sentence for ``event``, should the robot do what ``prompt`` says."""
    return WOULD[event].format(thing=meant(prompt))


def meant(prompt: str) -> str:
    """What a prompt is about, for people: its first thing in its own words; the model itself reads bytes.

    A thing is a colour and the word after it, or a class; both as in the registry of objects.
    """
    words = "".join(c if c.isalnum() else " " for c in prompt.lower()).split()
    colors, classes = objects.colors(), objects.classes()
    for i, word in enumerate(words):
        if word in colors:
            return " ".join(words[i : i + 2]) if i + 1 < len(words) else f"{word} thing"
        if i and word in classes:  # the first word is a verb: "can you …" is about no can
            return word
    return "thing"
