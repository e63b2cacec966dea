"""What the cameras mean: stereo depth, objects and the table, with covariance, in ``base_link``."""
