"""Backtests: recorded prices through the live decision function, with costs; and what came of it."""
