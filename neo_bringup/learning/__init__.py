"""A round of learning: from what robots recorded to a model that may be released, or a reason why not."""
