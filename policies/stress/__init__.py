"""Stress: a treasury and its policy through price paths that hurt, and how long it takes to get out."""
