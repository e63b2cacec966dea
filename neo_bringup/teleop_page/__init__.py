"""The page in a browser that a person drives the robot from, and its server."""
