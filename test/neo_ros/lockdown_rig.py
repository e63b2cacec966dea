"""Two machines, made of network namespaces, and a stranger on one who knows the robot's ports on the other.

    unshare -rn python lockdown_rig.py     the variables of neo_ros.environment are the robot's

prints JSON: how often the robot's machine told the stranger's that nobody listens, whose words the robot
heard, and how many packets the robot's machine sent to the network before the stranger was there.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROBOT, STRANGER = "10.77.0.1", "10.77.0.2"
PEERS = """<?xml version="1.0" encoding="UTF-8" ?>
<dds xmlns="http://www.eprosima.com"><profiles>
  <transport_descriptors><transport_descriptor>
    <transport_id>udp</transport_id><type>UDPv4</type>
  </transport_descriptor></transport_descriptors>
  <participant profile_name="stranger" is_default_profile="true"><rtps>
    <userTransports><transport_id>udp</transport_id></userTransports>
    <useBuiltinTransports>false</useBuiltinTransports>
    <builtin><initialPeersList><locator><udpv4>
      <address>{address}</address><port>{port}</port>
    </udpv4></locator></initialPeersList></builtin>
  </rtps></participant>
</profiles></dds>
"""
# says its name on `command` until it is ended
SPEAKER = """
import sys
from neo_ros.environment import prepare
prepare()
import rclpy
from std_msgs.msg import String
rclpy.init(args=[])
node = rclpy.create_node(sys.argv[1])
speak = node.create_publisher(String, "command", 10)
node.create_timer(0.1, lambda: speak.publish(String(data=sys.argv[1])))
from neo_ros import executor
executor.spin(node)
"""
PATIENCE = 30.0  # s


def run(*words):
    subprocess.run(words, check=True, capture_output=True)


def speaker(name, environment=None, prefix=()):
    command = [*prefix, sys.executable, "-c", SPEAKER, name]
    return subprocess.Popen(command, env={**os.environ, **(environment or {})})


def sent_out():
    """Packets that left for the network."""
    rows = dict(line.split(":") for line in Path("/proc/net/dev").read_text().splitlines()[2:])
    return int({name.strip(): row for name, row in rows.items()}["robot0"].split()[9])


def turned_away(there):
    """How often the robot's machine told the stranger's that nobody listens at a port of it."""
    text = subprocess.run(
        [*there, "cat", "/proc/net/snmp"], check=True, capture_output=True, text=True
    ).stdout
    names, values = [line.split() for line in text.splitlines() if line.startswith("Icmp:")]
    return int(values[names.index("InDestUnreachs")])


def main():
    elsewhere = subprocess.Popen(["unshare", "-nm", "sleep", "300"])
    try:
        Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1")  # its own chatter would be counted
        run("ip", "link", "add", "robot0", "type", "veth", "peer", "name", "stranger0")
        wait_for(lambda: os.readlink(f"/proc/{elsewhere.pid}/ns/net") != os.readlink("/proc/self/ns/net"))
        run("ip", "link", "set", "stranger0", "netns", str(elsewhere.pid))
        there = ("nsenter", f"--target={elsewhere.pid}", "--net", "--mount")
        other = Path(sys.argv[1]).with_name("machine-id")
        other.write_text("5" * 32 + "\n")  # or Fast DDS takes both for one machine, and answers on loopback
        if Path("/etc/machine-id").exists():
            run(*there, "mount", "--bind", other, "/etc/machine-id")
        run(*there, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6")
        for prefix, device, address in ((), "robot0", ROBOT), (there, "stranger0", STRANGER):
            run(*prefix, "ip", "address", "add", f"{address}/24", "dev", device)
            for name in ("lo", device):
                run(*prefix, "ip", "link", "set", name, "up")
            run(*prefix, "ip", "route", "add", "default", "dev", device)
        print(json.dumps(watch(there)))
    finally:
        elsewhere.kill()
        elsewhere.wait()


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("the condition did not come true in time")
        time.sleep(0.01)


def watch(there):
    from neo_ros import environment, executor

    environment.prepare()
    import rclpy
    from rclpy.task import Future
    from std_msgs.msg import String

    rclpy.init(args=[])
    node, heard = rclpy.create_node("robot"), set()
    node.create_subscription(String, "command", lambda message: heard.add(message.data), 10)
    spinner = executor.make(node)

    def until(condition):
        deadline = time.monotonic() + PATIENCE
        while not condition() and time.monotonic() < deadline:
            spinner.spin_until_future_complete(Future(), timeout_sec=0.05)

    started = [speaker("friend")]
    try:
        until(lambda: "friend" in heard)
        sent = sent_out()
        profile = Path(sys.argv[1])
        port = 7400 + 250 * int(os.environ["ROS_DOMAIN_ID"]) + 10  # the first participant's, by the standard
        profile.write_text(PEERS.format(address=ROBOT, port=port))
        outside = {
            "ROS_AUTOMATIC_DISCOVERY_RANGE": "SYSTEM_DEFAULT",
            **dict.fromkeys((environment.FAST_DDS_2, environment.FAST_DDS_3), str(profile)),
        }
        started.append(speaker("stranger", outside, there))
        until(lambda: "stranger" in heard or turned_away(there) >= 4)
        started.append(speaker("later_friend"))  # came after the stranger spoke, and is heard
        until(lambda: "later_friend" in heard)
    finally:
        for process in started:
            process.kill()
            process.wait()
    rclpy.shutdown()
    return {"heard": sorted(heard), "turned_away": turned_away(there), "sent_out": sent}


if __name__ == "__main__":
    main()
