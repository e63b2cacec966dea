"""The 22-joint hand: grasps as data, touch, grip force, and a loop that answers every state."""
