"""The guard: what a plan may not do whoever made it, and whether the world still is what a plan was made for. Pure."""

from coordinator.guard.envelope import Moved, still_holds
from coordinator.guard.rules import Objection, objections

__all__ = ["Moved", "Objection", "objections", "still_holds"]
