"""From recordings to a model that may be released, by stages that can be killed: dataset, training, gate."""
