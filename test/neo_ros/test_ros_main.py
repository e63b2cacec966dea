"""How node processes start and end: run() and the executor below it."""

import signal

import pytest
from rclpy.node import Node
from rclpy.task import Future

from neo_ros import executor

NODE = """
    import sys
    from pathlib import Path
    from rclpy.node import Node
    from neo_description.errors import NeoError
    from neo_ros import params
    from neo_ros.main import run

    FILE = Path(__file__).with_name("parameters.yaml")
    FILE.write_text(
        'speed: {type: double, default: 0.1, unit: m/s, bounds: [0.01, 0.5], description: "how fast"}\\n'
        'side: {type: string, default: l, one_of: [l, r], read_only: true, description: "which hand"}\\n'
    )

    class Tiny(Node):
        def __init__(self):
            super().__init__("tiny")
            self.values = params.declare(self, FILE)
            self.timer = self.create_timer(0.05, self.tick)

        def tick(self):
            if "fault" in sys.argv:
                raise RuntimeError("a fault in the code")
            if "refuse" in sys.argv:
                raise NeoError("the camera went away; plug it in")
            print("tick", self.values.speed, self.values.side, flush=True)

        def close(self):
            print("closed", flush=True)

    run(Tiny)
"""


BUSY = """
    from rclpy.node import Node
    from std_msgs.msg import String
    from neo_ros import graph
    from neo_ros.main import run

    class Busy(Node):
        def __init__(self):
            super().__init__("busy")
            self.publisher = graph.publisher(self, "robot_description")
            self.timer = self.create_timer(0.001, self.tick)
            print("ready", flush=True)

        def tick(self):
            for _ in range(30):
                self.publisher.publish(String(data="x" * 10_000))

    run(Busy)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_callback_that_publishes_finish(start_program, number):
    """rclpy's own handlers made the context invalid under it: an error and a stack trace."""
    process = start_program(BUSY)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    _, errors = process.communicate(timeout=15)
    assert (process.returncode, errors) == (0, "")


def test_a_signal_during_the_start_ends_it_cleanly(start_program):
    process = start_program(
        BUSY.replace('print("ready", flush=True)', 'print("ready", flush=True); sum(range(20_000_000))')
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=15)
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_node_with_code_0_and_nothing_on_stderr(start_program, number):
    process = start_program(NODE, "--ros-args", "-p", "speed:=0.2", "-p", "side:=r")
    assert process.stdout.readline() == "tick 0.2 r\n"
    process.send_signal(number)
    output, errors = process.communicate(timeout=15)
    assert process.returncode == 0
    assert errors == ""
    assert output.endswith("closed\n")


def test_a_fault_in_a_callback_ends_the_process_with_its_stack_trace(start_program):
    process = start_program(NODE, "fault")
    _, errors = process.communicate(timeout=15)
    assert process.returncode == 1
    assert "RuntimeError: a fault in the code" in errors


def test_a_neo_error_while_running_ends_with_its_line_and_code_2(start_program):
    process = start_program(NODE, "refuse")
    _, errors = process.communicate(timeout=15)
    assert process.returncode == 2
    # the executor logs where it came from before ours, the last line
    assert errors.splitlines()[-1] == "Tiny: the camera went away; plug it in"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-p", "speed:=3.0"], "Tiny: parameter speed: 3.0 is outside [0.01, 0.5] m/s\n"),
        (["-p", "speed:=.nan"], "Tiny: parameter speed: nan is outside [0.01, 0.5] m/s\n"),
        (["-p", "speed:=fast"], "Tiny: parameter speed: 'fast' is no double\n"),
        (["-p", "side:=x"], "Tiny: parameter side: 'x' is none of l, r\n"),
        (["-p", "sped:=0.1"], "Tiny: no parameter sped; one of speed, side\n"),
        (["--params-file", "/no/such/file"], "Tiny: failed to initialize rcl: Couldn't parse params file"),
        (["--bogus"], "Tiny: unknown ROS arguments: ['--bogus']\n"),
    ],
)
def test_a_bad_start_is_one_clear_line_and_code_2(start_program, words, said):
    process = start_program(NODE, "--ros-args", *words)
    _, errors = process.communicate(timeout=15)
    assert process.returncode == 2
    own = [line for line in errors.splitlines(keepends=True) if "[rcl]" not in line]
    assert len(own) == 1
    assert own[0].startswith(said)


def test_a_truncated_parameter_file_is_refused(start_program, tmp_path):
    file = tmp_path / "cut.yaml"
    file.write_text("tiny:\n  ros__parameters:\n    speed: [1,")
    process = start_program(NODE, "--ros-args", "--params-file", str(file))
    _, errors = process.communicate(timeout=15)
    assert process.returncode == 2
    assert "cut.yaml" in errors
    assert "Traceback" not in errors


def test_waiting_gives_the_result_or_a_timeout(ros):
    node = Node("waits")
    runner = executor.make(node)
    done = Future()
    timer = node.create_timer(0.01, lambda: done.done() or done.set_result(42))
    assert executor.wait_for(runner, done, 10.0) == 42
    timer.cancel()
    with pytest.raises(TimeoutError, match=r"no answer within 0\.05 s"):
        executor.wait_for(runner, Future(), 0.05)
    node.destroy_node()
