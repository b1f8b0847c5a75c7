"""`treasury.yaml`: read with positions, checked as a whole, resolved to domain objects."""
