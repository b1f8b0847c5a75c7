"""The commands' bodies: plain functions that return an exit code. `coordinator.cli` gives them their words."""
