"""Coordinator: makes it so. Ledger, planner, saga executor, guard and the commands."""
