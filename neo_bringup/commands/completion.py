"""``neo completion``: what makes a shell complete the words of ``neo``."""

from __future__ import annotations

import argparse

HELP = 'complete words with TAB: eval "$(neo completion bash)" in ~/.bashrc, or zsh in ~/.zshrc'
SHELLS = {"bash": "bash", "zsh": "zsh", "fish": "fish"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS)


def run(args: argparse.Namespace) -> int:
    """0: the shell's code is printed."""
    import argcomplete

    print(argcomplete.shellcode(["neo"], True, SHELLS[args.shell]))  # type: ignore[attr-defined]
    return 0
