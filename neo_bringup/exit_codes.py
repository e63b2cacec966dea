"""What the exit codes of ``neo`` mean: said once, for the code and for the reference.

What a code means for one command stands in the docstring of its ``run``; :func:`said` reads it from there.
"""

from __future__ import annotations

import ast
from pathlib import Path

DONE, NO, COULD_NOT, INTERRUPTED = 0, 1, 2, 130
MEANING = {
    DONE: "done, or all is well",
    NO: "it ran, and the answer is no: no success, refused, differs, short of a target, not all well",
    COULD_NOT: "it could not run: wrong words, nothing to work on, nobody answered; one line says which",
    INTERRUPTED: "Ctrl-C",
}


def said(file: Path) -> str:
    """The docstring of ``run`` in a command's module, read without importing it; "" when it has none."""
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name == "run":
            return " ".join((ast.get_docstring(node) or "").split())
    return ""
