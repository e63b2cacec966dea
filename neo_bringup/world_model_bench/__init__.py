"""What the world model can do, trial by trial; ``neo bench world-model`` runs them."""
