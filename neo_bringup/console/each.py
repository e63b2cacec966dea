"""What cannot be read or drawn must not keep the rest of the page from it."""

from __future__ import annotations

from collections.abc import Callable


def each(*parts: Callable[[], None]) -> None:
    """Does all ``parts``, whichever of them fail; the first error is raised at the end."""
    errors = []
    for part in parts:
        try:
            part()
        except Exception as error:  # whatever came over the wire
            errors.append(error)
    if errors:
        raise errors[0]
