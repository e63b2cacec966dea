# %% [markdown]
# # Look into a recording
#
# A recording is a rosbag2 bag in MCAP: other people's tools read it, with no ROS installed. This one is the
# robot standing up, two seconds; put a bag of yours in its place, such as `runs/TIME/bag`. Run it in the
# repository's folder.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from rosbags.highlevel import AnyReader

from neo_description.tables import BODY

bag = Path("test/bags/standing")
with AnyReader([bag]) as reader:
    for row in sorted(reader.connections, key=lambda row: row.topic):
        print(f"{row.msgcount:6} {row.topic:24} {row.msgtype}")


# %% [markdown]
# ## Every command answers one state
#
# A state with tick *k* makes the command for tick *k*. So the ticks of both topics are the same numbers.


# %%
def messages(topic):
    """The topic's messages, in order."""
    with AnyReader([bag]) as reader:
        wanted = [row for row in reader.connections if row.topic.endswith(topic)]
        return [reader.deserialize(data, row.msgtype) for row, _, data in reader.messages(wanted)]


states, commands = messages("body/state"), messages("body/tendon_command")
ticks = {state.tick for state in states}
answered = {command.tick for command in commands}
assert answered <= ticks
print(f"{len(states)} states, {len(answered)} of them answered, ticks {min(ticks)} to {max(ticks)} at 500 Hz")

# %% [markdown]
# ## Tensions while it stands up
#
# Two tendons pull each joint, one either way. The knee's carry the robot's weight.

# %%
time = np.array([state.tick for state in states]) / 500.0
tension = np.array([state.tendon_tension for state in states])  # (states, tendons) N
knee = [i for i, name in enumerate(BODY.tendons) if name.startswith("l_knee")]
assert np.isfinite(tension).all()

figure, axes = plt.subplots(figsize=(8, 3.5))
for i in knee:
    axes.plot(time, tension[:, i], label=BODY.tendons[i])
axes.set_xlabel("plant time, s")
axes.set_ylabel("tension, N")
axes.legend()
figure.tight_layout()
print(f"greatest tension of all: {tension.max():.0f} N, in {BODY.tendons[tension.max(axis=0).argmax()]}")
