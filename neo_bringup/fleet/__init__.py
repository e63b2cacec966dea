"""Simulated robots that learn together: they act, record and send; the server learns, judges and releases."""
