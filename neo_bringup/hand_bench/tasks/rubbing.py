"""Dry friction of joints that sticks: by default it is soft, and what shall stand still creeps under load."""

RUBS = {"solref_friction": (0.002, 1.0), "solimp_friction": (0.9999, 0.9999, 0.001, 0.5, 2.0)}
