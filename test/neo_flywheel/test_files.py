"""One at a time: a process that is being started is waited for, one that works is not."""

import os

import pytest

from neo_description.errors import NeoError
from neo_flywheel import files


def test_a_lock_that_a_starting_process_still_has_a_copy_of_is_waited_for(tmp_path, monkeypatch):
    with files.lock(tmp_path, "things"):
        held = _copy_of_the_lock(tmp_path)
    monkeypatch.setattr(files.time, "sleep", lambda _: held and os.close(held.pop()))
    with files.lock(tmp_path, "things"):
        assert held == []


def test_a_lock_that_is_held_is_refused(tmp_path):
    again = files.lock(tmp_path, "things")
    with files.lock(tmp_path, "things"), pytest.raises(NeoError, match="another process works on the things"):
        again.__enter__()


def _copy_of_the_lock(folder):
    """What a forked child has: a copy of the descriptor that holds the lock."""
    for number in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{number}") == str(folder / ".lock"):
                return [os.dup(int(number))]
        except OSError:
            continue
    raise AssertionError("no open lock")
