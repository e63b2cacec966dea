"""When the supervisor's stop button goes down: at once, or once body control has come to STOP."""

from types import SimpleNamespace

from neo_msgs.msg import SafetyState
from neo_msgs.srv import SetMode
from rclpy.task import Future

from neo_bringup.stop_button import SETTLE_WITHIN, StopButton


class Robot:
    """What of a stack the button uses."""

    def __init__(self, state=SafetyState.ACTIVE, served=True):
        self.safety = SimpleNamespace(state=state, runstop=False)
        self.asked = Future() if served else None
        self.modes, self.pressed = [], 0

    def ask_mode(self, mode):
        self.modes.append(mode)
        return self.asked

    def press_runstop(self, on):
        self.pressed += on


def test_a_moving_robot_comes_to_stop_before_the_button_goes_down():
    robot = Robot()
    button = StopButton(robot)
    button.settle("l_hand_control died", 10.0)
    button.look(10.5)
    assert (robot.modes, robot.pressed, button.waits) == (["stop"], 0, True)
    robot.safety.state = SafetyState.STOP
    button.look(11.0)
    assert (robot.pressed, button.waits, button.why) == (1, False, "l_hand_control died")
    button.look(12.0)
    assert robot.pressed == 1


def test_it_waits_no_longer_than_it_may():
    robot = Robot()
    button = StopButton(robot)
    button.settle("l_hand_control died", 10.0)
    button.settle("r_hand_control died", 10.0 + 0.9 * SETTLE_WITHIN)  # a second loss gives no more time
    button.look(10.0 + SETTLE_WITHIN)
    assert robot.pressed == 1


def test_it_does_not_wait_for_a_robot_that_stands_still_or_whose_body_nobody_controls():
    for robot in (Robot(SafetyState.STOP), Robot(served=False)):
        StopButton(robot).settle("l_hand_control died", 0.0)
        assert robot.pressed == 1


def test_a_worse_loss_presses_at_once():
    robot = Robot()
    button = StopButton(robot)
    button.settle("l_hand_control died", 0.0)
    button.press("body_control died")
    assert (robot.pressed, button.waits, button.why) == (1, False, "body_control died")


def test_it_does_not_wait_for_one_that_refuses():
    robot = Robot()
    button = StopButton(robot)
    button.settle("l_hand_control died", 0.0)
    robot.asked.set_result(SetMode.Response(success=False))
    button.look(0.1)
    assert robot.pressed == 1
