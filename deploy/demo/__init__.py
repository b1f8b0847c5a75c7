"""The demo: an unbalanced treasury on the local network, planned, rebalanced and reconciled to the base unit."""
