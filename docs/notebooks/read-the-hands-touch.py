# %% [markdown]
# # Read the hand's touch
#
# A hand has 19 pads; each tells a normal and two shear forces. Here one hand on a test bench takes a bottle
# and lifts it, in one process without ROS. What is plotted is what the hand feels: a real one feels it, too.

# %%
import matplotlib.pyplot as plt
import numpy as np

from neo_description.objects import registry
from neo_description.signals import GraspPhase, HandAction, HandCommand
from neo_description.tables import TAXELS
from neo_sim.hand_env import HandEnv
from neo_sim.hand_rig import HandRig, Placing

bottle = registry()["red_bottle"]
env = HandEnv(HandRig("r", bottle, Placing(height=0.42), seed=1))
width = float(min(bottle.size[:2]))


def at(back, up=0.0):
    """Where the bench carries the hand: ``back`` from the bottle, ``up`` over the table, m."""
    return np.array([-back / np.sqrt(2.0), -back / np.sqrt(2.0), up, 0.0, 0.0, 0.0])


# %% [markdown]
# ## Take it and lift it

# %%
felt = []  # (time s, pad forces (19, 3) N, grip N, friction)


def note():
    """What the hand feels now; called after every tick."""
    feeling = env.hands["r"].feeling
    state = env.rig.state()
    if feeling is not None:
        felt.append((state.time, state.taxel_force.reshape(19, 3).copy(), feeling.load, feeling.friction))


env.watch = note
env.rig.carry(at(0.12), at_once=True)
env.command(HandCommand(HandAction.PRESHAPE, grasp="medium_wrap", width=width))
env.run(0.8, lambda u, t: at(0.12))
env.run(1.0, lambda u, t: at(0.12 * (1.0 - u)))
env.command(HandCommand(HandAction.CLOSE, grasp="medium_wrap", width=width))
env.run(3.0, lambda u, t: at(0.0), lambda: env.phase() == GraspPhase.HOLDING)
env.run(1.0, lambda u, t: at(0.0, 0.10 * u))
env.run(0.5, lambda u, t: at(0.0, 0.10))
assert env.phase() == GraspPhase.HOLDING
print(f"{env.phase().name}: {len(felt) / 500:.1f} s felt")

# %% [markdown]
# ## Which pads carry it
#
# Normal forces in the end, and how slippery and heavy the hand believes the bottle to be.

# %%
last = felt[-1][1][:, 0]
for i in np.argsort(-last)[:6]:
    print(f"{TAXELS[i]:22} {last[i]:5.2f} N")
print(f"load {felt[-1][2]:.2f} N (it weighs {9.81 * bottle.mass:.2f} N); friction believed {felt[-1][3]:.2f}")
assert (last > 0.1).sum() >= 3

# %% [markdown]
# ## Grip over time

# %%
time = np.array([row[0] for row in felt])
figure, axes = plt.subplots(figsize=(8, 3.5))
axes.plot(time, [row[1][:, 0].sum() for row in felt], label="sum of normal forces")
axes.plot(time, [row[2] for row in felt], label="load that friction carries")
axes.set_xlabel("time, s")
axes.set_ylabel("N")
axes.legend()
figure.tight_layout()
