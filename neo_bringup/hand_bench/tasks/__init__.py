"""Tasks for hands: scenery, scatter by seed, and a privileged score."""
