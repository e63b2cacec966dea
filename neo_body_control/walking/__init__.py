"""Steps and walking: footsteps, capture-point dynamics, the swinging foot and the gait's state machine."""
