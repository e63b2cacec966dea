"""The robot as data: joints, tendons, pads, limits, the graph, and the builder that makes it a model."""
