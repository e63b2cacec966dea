"""Reference of the ``neo`` command: options as its parsers know them, exit codes as the code says them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from neo_bringup import cli, exit_codes

WIDTH = 100  # characters
OPTIONS = """# Options of every command

*Made from the commands' own parsers when this site is built.* In short: [the `neo` command](cli.md).
"""
CODES = """# Exit codes of `neo`

*Made from `neo_bringup/exit_codes.py` and the commands' docstrings when this site is built.*

| code | means |
|---|---|
"""
EACH = """
With code 2 one line on stderr says what was wrong, what was given, what is allowed; `NEO_DEBUG=1` shows the
stack trace. `NeoError (2)` below is that. A reader that goes away (`neo … | head`) is no error.

| command | its codes |
|---|---|
"""


def commands() -> str:
    """``--help`` of every command and of what is below it."""
    parts = [OPTIONS]
    for name in cli.commands():
        for words, parser in below(f"neo {name}", command(name)):
            parser.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=WIDTH)
            level = "##" if words == f"neo {name}" else "###"
            parts.append(f"\n{level} `{words}`\n\n```\n{parser.format_help().rstrip()}\n```")
    return "\n".join(parts) + "\n"


def command(name: str) -> argparse.ArgumentParser:
    """The parser of ``neo NAME``."""
    return dict(children(cli.parser_for([name])))[name]


def children(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """What may follow ``parser``'s own words."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def below(words: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """``parser`` and all below it, with the words that lead there."""
    yield words, parser
    for name, child in children(parser):
        yield from below(f"{words} {name}", child)


def page_exit_codes() -> str:
    """The codes, and what each means for each command."""
    codes = [f"| {code} | {text} |\n" for code, text in exit_codes.MEANING.items()]
    rows = []
    for name, file in cli.commands().items():
        text = exit_codes.said(file).replace("``", "`").replace("|", "\\|")
        rows.append(f"| `neo {name}` | {text} |\n")
    return CODES + "".join(codes) + EACH + "".join(rows)
