"""Episodes for the world model from the simulated robot."""
