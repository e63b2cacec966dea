"""What every node shares: executor, QoS, parameters, conversion, images, diagnostics."""
