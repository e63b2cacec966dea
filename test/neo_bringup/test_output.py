"""What goes to stdout, what to stderr, and when lines are coloured or written over one another."""

import io
import json
from types import SimpleNamespace

import pytest

from neo_bringup import output


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    stream = Terminal()
    monkeypatch.setattr(output, "sys", SimpleNamespace(stderr=stream))
    return stream


def test_progress_in_a_pipe_is_whole_lines_on_stderr(capsys):
    output.progress("get model 10 %", passing=True)
    output.progress("done")
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "… get model 10 %\n… done\n"


def test_progress_on_a_terminal_takes_the_place_of_what_passes(terminal):
    output.progress("get model 10 %", passing=True)
    output.progress("done")
    assert terminal.getvalue() == "\r\x1b[K… get model 10 %\r\x1b[K… done\n"


def test_nodes_are_coloured_on_a_terminal(terminal):
    output.Output(terminal).node("sim", "up")
    assert "\x1b[36m[sim]" in terminal.getvalue()


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_wants_no_colours_gets_none(terminal, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    output.Output(terminal).node("sim", "up")
    assert terminal.getvalue() == "[sim] up\n"


def test_a_terminal_without_a_cursor_gets_whole_lines(terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    output.progress("get model 10 %", passing=True)
    assert terminal.getvalue() == "… get model 10 %\n"


def test_json_stands_alone_on_stdout_or_in_a_file_besides(tmp_path, capsys):
    assert output.put_json(None, {"a": 1}) is False
    assert output.put_json(tmp_path / "new" / "a.json", {"a": 1}) is False
    assert json.loads((tmp_path / "new" / "a.json").read_text()) == {"a": 1}
    assert capsys.readouterr().out == ""
    assert output.put_json(output.STDOUT, {"a": 1}) is True
    assert json.loads(capsys.readouterr().out) == {"a": 1}


def test_a_table_in_a_pipe_is_not_cut_to_eighty_columns(capsys):
    from rich.table import Table

    table = Table("figure", "what it is")
    table.add_row("a" * 60, "b" * 60)
    output.console().print(table)
    assert "a" * 60 in capsys.readouterr().out
