"""Swap venues: how one token becomes another on the same chain. Each is a rail, like a bridge."""
