"""Bridges: how value can move, across chains (bridges) or on one (venues). Both are rails."""
