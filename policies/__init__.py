"""Policies: what the owner wants, as pure functions over a portfolio."""
