"""What ``neo doctor`` checks: one module a concern, each with functions that give :class:`Row` objects."""
