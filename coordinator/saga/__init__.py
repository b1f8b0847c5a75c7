"""Sagas: a plan carried out so that a crash, a lost answer or a late bridge never loses or repeats a transfer."""
