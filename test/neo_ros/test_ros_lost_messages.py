"""What a reader's full buffer loses of a reliable topic is sent again at once, not after DDS' 3 s."""

import array
import signal
import time

from rclpy.qos import QoSProfile, ReliabilityPolicy
from std_msgs.msg import String, UInt8MultiArray

CONTROL = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
RELIABLE = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
EAR = """
    import time
    from neo_ros import environment
    environment.prepare(pictures=False)
    import rclpy
    from rclpy.qos import QoSProfile, ReliabilityPolicy
    from std_msgs.msg import String, UInt8MultiArray
    from neo_ros import executor

    rclpy.init(args=[])
    node = rclpy.create_node("ear")
    control = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    reliable = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
    node.create_subscription(UInt8MultiArray, "flood", lambda message: None, control)
    node.create_subscription(String, "said", lambda _: print(time.monotonic(), flush=True), reliable)
    executor.spin(node)
"""
WITHIN = 1.0  # s


def flood(publisher):
    """More than a socket's buffer takes: large messages, and small ones for the gaps."""
    for size, number in ((6000, 300), (20, 1500)):
        message = UInt8MultiArray(data=array.array("B", bytes(size)))
        for _ in range(number):
            publisher.publish(message)


def test_a_lost_reliable_message_is_sent_again_at_once(ros, spinning, start_program):
    node = ros.create_node("mouth")
    flooded = node.create_publisher(UInt8MultiArray, "flood", CONTROL)
    says = node.create_publisher(String, "said", RELIABLE)
    ear = start_program(EAR)
    spinning(node).until(lambda: says.get_subscription_count() and flooded.get_subscription_count())
    says.publish(String())
    ear.stdout.readline()
    ear.send_signal(signal.SIGSTOP)
    flood(flooded)
    says.publish(String())
    goes_on = time.monotonic()
    ear.send_signal(signal.SIGCONT)
    assert float(ear.stdout.readline()) - goes_on < WITHIN
    node.destroy_node()
