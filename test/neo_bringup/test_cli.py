"""The neo command itself: discovery, errors, exit codes."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from neo_bringup import cli, exit_codes
from neo_description.errors import NeoError


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Subcommands of a test in place of ours."""
    package = tmp_path / "neo_test_commands"
    package.mkdir()
    monkeypatch.setattr(cli, "COMMANDS", package)
    real = cli.importlib.import_module

    def write(name, body):
        (package / f"{name}.py").write_text(
            "HELP = 'does a test'\n"
            "def add_arguments(parser):\n    parser.add_argument('--n', type=int, default=0)\n"
            f"def run(args):\n{textwrap.indent(body, '    ')}\n"
        )

    def load(name):
        source = package / f"{name.rsplit('.', 1)[1]}.py"
        module = type(sys)(name)
        exec(compile(source.read_text(), source, "exec"), module.__dict__)
        return module

    monkeypatch.setattr(cli.importlib, "import_module", lambda n: load(n) if "commands" in n else real(n))
    return write


def test_the_exit_code_is_the_command_s(commands):
    commands("count", "return args.n")
    assert cli.main(["count", "--n", "7"]) == 7


def test_a_neo_error_is_one_line_and_code_2(commands, capsys):
    commands("fail", "from neo_description.errors import NeoError\nraise NeoError('no camera; plug one in')")
    assert cli.main(["fail"]) == 2
    assert capsys.readouterr().err == "neo: no camera; plug one in\n"


def test_debug_shows_the_stack_trace(commands, monkeypatch):
    commands("fail", "from neo_description.errors import NeoError\nraise NeoError('no camera')")
    monkeypatch.setenv("NEO_DEBUG", "1")
    with pytest.raises(NeoError, match="no camera"):
        cli.main(["fail"])


def test_ctrl_c_is_130(commands):
    commands("wait", "raise KeyboardInterrupt")
    assert cli.main(["wait"]) == 130


def test_underscores_become_hyphens_and_keywords_may_be_escaped(commands):
    commands("dry_run", "return 0")
    commands("import_", "return 3")
    assert set(cli.commands()) == {"dry-run", "import"}
    assert cli.main(["import"]) == 3


def test_help_imports_no_command(commands, capsys):
    commands("broken", "return 0")
    (cli.COMMANDS / "broken.py").write_text("HELP = 'is broken'\nraise RuntimeError\n")
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    assert ended.value.code == 0
    assert "is broken" in capsys.readouterr().out


def test_an_unknown_command_names_the_known_ones(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["dance"])
    assert ended.value.code == 2
    assert "'doctor'" in capsys.readouterr().err.replace("choose from doctor", "choose from 'doctor'")


@pytest.mark.parametrize("name", sorted(cli.commands()))
def test_every_command_has_help_and_explains_its_arguments(name, capsys):
    assert cli.help_line(cli.commands()[name])
    with pytest.raises(SystemExit) as ended:
        cli.main([name, "--help"])
    assert ended.value.code == 0
    assert f"neo {name}" in capsys.readouterr().out


def test_a_reader_that_goes_away_is_no_error():
    """neo … | head"""
    command = f"'{sys.executable}' -m neo_bringup.cli doctor --help | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=os.environ, timeout=60)
    assert done.stdout.endswith("\n0\n")
    assert done.stderr == ""


@pytest.mark.parametrize("name", sorted(cli.commands()))
def test_every_command_says_what_its_exit_codes_mean(name):
    said = exit_codes.said(cli.commands()[name])
    codes = {int(code) for code in re.findall(r"\b(\d+):", said)} | ({2} if "(2)" in said else set())
    assert 0 in codes, said
    assert codes <= set(exit_codes.MEANING)


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [("neo stat", ["status"]), ("neo status --na", ["--namespace"]), ("neo fleet st", ["status"])],
)
def test_a_shell_completes_words(typed, wanted):
    """What bash itself makes of the code that `neo completion bash` prints."""
    neo = f"'{sys.executable}' -m neo_bringup.cli"
    script = f"""
        neo() {{ {neo} "$@"; }}
        eval "$({neo} completion bash)"
        COMP_LINE='{typed}'; COMP_POINT=${{#COMP_LINE}}; COMP_WORDS=($COMP_LINE); COMP_TYPE=9
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _python_argcomplete neo "${{COMP_WORDS[COMP_CWORD]}}"
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120)
    assert [word.strip() for word in done.stdout.splitlines()] == wanted, done.stderr


def test_every_command_stands_in_the_reference():
    text = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text()
    assert [name for name in cli.commands() if f"`neo {name}" not in text] == []


def test_the_reference_names_the_exit_codes_that_the_commands_do():
    text = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text()
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("| `neo ")]
    for name, file in cli.commands().items():
        said = exit_codes.said(file)
        codes = {int(code) for code in re.findall(r"\b(\d+):", said)} | ({2} if "(2)" in said else set())
        cells = [row[-1] for row in rows if name in re.findall(r"`neo ([\w-]+)", row[0])]
        assert {int(code) for cell in cells for code in re.findall(r"\b(\d+)\b", cell)} == codes, name
