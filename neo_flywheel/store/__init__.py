"""What was recorded, where it lies and what became of it: objects, catalogue, ingest, and tools on bags."""
