"""``neo demo``: the whole robot, one prompt, scored with the truth, with a bag and a film."""
