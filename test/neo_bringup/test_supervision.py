"""``neo up`` with real processes on real DDS: deaths, Ctrl-C, stubborn nodes, twice, what is left behind."""

import os
import re
import signal
import socket
import time
from pathlib import Path

import pytest

from neo_bringup import shared_memory

STOP_LIMIT = 5.0  # s: the promise


def alive(pid):
    """Whether ``pid`` runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def said(log, text="pid "):
    """What a tiny node wrote, once ``text`` is in it: the graph knows a node before its first line does."""
    wait_for(lambda: log.exists() and text in log.read_text())
    return log.read_text()


def pids(log):
    return [int(pid) for pid in re.findall(r"pid (\d+)", said(log))]


def left_of(segments):
    """Of ``segments``, those that nobody uses any more: a port may be that of another test's nodes, too."""
    return segments & set(shared_memory.ownerless(young=0.0))


@pytest.fixture
def tiny(tmp_path, write_launch):
    logs = {name: tmp_path / f"{name}.log" for name in ("sim", "a", "b")}
    file = write_launch(
        [("sim", "plant", logs["sim"]), ("a", "idle", logs["a"]), ("b", "idle", logs["b"])],
        before='<set_env name="TINY" value="yes"/>',
    )
    return file, logs


def test_it_comes_up_stops_in_order_on_ctrl_c_and_leaves_nothing(tiny, start_up, read_until):
    file, logs = tiny
    up = start_up(file)
    lines = read_until(up, "up: 3 nodes")
    if "[a] hello from /a" not in lines:
        lines += read_until(up, "[a] hello from /a")
    assert not any("\x1b" in line for line in lines)
    assert "tiny=yes" in said(logs["a"])
    children = pids(logs["a"]) + pids(logs["b"])
    segments = set().union(*(shared_memory.used_by(pid) for pid in [*children, up.pid]))
    assert segments
    began = time.monotonic()
    up.send_signal(signal.SIGINT)
    assert up.wait(timeout=2 * STOP_LIMIT) == 0, up.stdout.read()
    assert time.monotonic() - began < STOP_LIMIT
    ended = {name: float(re.search(r"ended ([\d.]+)", log.read_text())[1]) for name, log in logs.items()}
    assert ended["sim"] > max(ended["a"], ended["b"])
    assert "runstop True" in logs["sim"].read_text()
    assert not any(alive(pid) for pid in children)
    assert left_of(segments) == set(), "shared memory left behind"


def test_a_killed_node_presses_the_stop_button_is_named_and_ends_everything(tiny, start_up, read_until):
    file, logs = tiny
    up = start_up(file)
    read_until(up, "up: 3 nodes")
    segments = shared_memory.used_by(pids(logs["b"])[0])
    began = time.monotonic()
    os.kill(pids(logs["b"])[0], signal.SIGKILL)
    output = up.stdout.read()
    assert up.wait(timeout=STOP_LIMIT) == 1
    assert time.monotonic() - began < STOP_LIMIT + 1.0
    assert "[neo] b died: killed by SIGKILL" in output
    assert "Traceback" not in output
    pressed = float(re.search(r"runstop True ([\d.]+)", logs["sim"].read_text())[1])
    assert pressed - began < 0.5  # milliseconds when the machine is idle
    ended = float(re.search(r"ended ([\d.]+)", logs["sim"].read_text())[1])
    assert ended - pressed > 2.0, "the plant lingers with the robot held"
    assert left_of(segments) == set()


def test_a_node_that_cannot_start_is_named_with_what_it_said(write_launch, start_up, tmp_path):
    file = write_launch([("a", "idle", tmp_path / "a.log"), ("camera", "refuses", "")])
    up = start_up(file)
    output = up.communicate(timeout=30)[0]
    assert up.returncode == 1
    assert "camera died: exit code 3: neo: no OpenGL here" in output


def test_a_dead_node_is_started_again_when_asked_but_not_for_ever(tiny, start_up, read_until):
    file, logs = tiny
    up = start_up(file, "on_death:=restart")
    read_until(up, "up: 3 nodes")
    for round_ in range(3):
        wait_for(lambda n=round_: len(pids(logs["a"])) == n + 1)
        os.kill(pids(logs["a"])[-1], signal.SIGKILL)
        read_until(up, "a died: killed by SIGKILL; it starts again")
    assert "runstop" not in logs["sim"].read_text()
    wait_for(lambda: len(pids(logs["a"])) == 4)
    os.kill(pids(logs["a"])[-1], signal.SIGKILL)
    assert "stopped everything because a died" in up.communicate(timeout=30)[0]
    assert up.returncode == 1


def test_a_node_that_ignores_signals_is_killed_in_time(write_launch, start_up, read_until, tmp_path):
    file = write_launch([("a", "idle", tmp_path / "a.log"), ("deaf", "stubborn", "")])
    up = start_up(file)
    read_until(up, "up: 2 nodes")
    began = time.monotonic()
    up.send_signal(signal.SIGTERM)
    assert up.wait(timeout=2 * STOP_LIMIT) == 0
    assert time.monotonic() - began < STOP_LIMIT


def test_nodes_die_with_a_killed_supervisor(tiny, start_up, read_until):
    file, logs = tiny
    up = start_up(file)
    read_until(up, "up: 3 nodes")
    children = pids(logs["a"]) + pids(logs["b"])
    up.kill()
    wait_for(lambda: not any(alive(pid) for pid in children))


def test_a_second_robot_in_the_same_domain_and_namespace_is_refused(tiny, start_up, read_until):
    file, _ = tiny
    first = start_up(file)
    read_until(first, "up: 3 nodes")
    second = start_up(file)
    output = second.communicate(timeout=20)[0]
    assert second.returncode == 1
    assert re.fullmatch(
        r"neo: a robot already runs in ROS_DOMAIN_ID=\d+ namespace / \(process \d+\): .*\n", output
    )
    assert first.poll() is None


@pytest.mark.parametrize(
    ("words", "before", "complaint"),
    [
        (["spede:=2"], "", "neo: no launch argument 'spede'; there are: namespace, stand, on_death"),
        (["spede"], "", "neo: 'spede' is no launch argument; write name:=value"),
        (["on_death:=laugh"], "", "neo: on_death:=laugh: one of policy, stop, restart"),
        ([], "<node ", "broken or cut short"),
        ([], '<node exec="x"><param from="/nowhere.yaml"/></node>', "/nowhere.yaml: cannot read"),
    ],
)
def test_what_cannot_run_is_refused_in_one_line(write_launch, start_up, words, before, complaint):
    up = start_up(write_launch([("a", "idle", "")], before=before), *words)
    output = up.communicate(timeout=20)[0]
    assert up.returncode == 1
    assert complaint in output
    assert output.count("\n") == 1


def test_a_taken_console_port_is_refused_in_one_line(write_launch, start_up):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        before = f'<arg name="console" default="true"/><arg name="console_port" default="{port}"/>'
        up = start_up(write_launch([("a", "idle", "")], before=before))
        output = up.communicate(timeout=20)[0]
    assert up.returncode == 1
    assert output == (
        f"neo: port {port} on 127.0.0.1 is taken (Address already in use): "
        "give console_port:=N or console:=false\n"
    )


def test_typed_parameters_arrive_in_the_node(tmp_path, start_up, read_until, write_launch):
    log = tmp_path / "a.log"
    file = write_launch([("a", "idle", log)])
    typed = (
        '<param name="number" value="3" type="float"/><param name="text" value="3" type="str"/>'
        '<param name="flag" value="true"/><param name="list" value="[1, 2]"/></node>'
    )
    file.write_text(file.read_text().replace("/>\n</launch>", f">{typed}\n</launch>"))
    up = start_up(file)
    read_until(up, "up: 1 nodes")
    assert said(log).splitlines()[:4] == ["number=3.0", "text='3'", "flag=True", "list=[1, 2]"]
