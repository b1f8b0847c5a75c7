"""POLICIES and TRIGGERS: the explicit tables of what a configuration may ask for, by name.

Explicit and typed, never entry points: merely installed code must not decide where funds go. mypy checks each line
against its protocol, so an incomplete policy fails here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from policies.base import Policy, Targets, Trigger
from policies.drift import BandPolicy, DriftTrigger, IntervalTrigger

POLICIES: Mapping[str, Callable[[Targets], Policy]] = {
    "bands": BandPolicy,
}


def drift_trigger(beyond: Fraction) -> Trigger:
    """Act when a weight lies more than `beyond` (share of NAV) outside its band."""
    return DriftTrigger(beyond)


def interval_trigger(seconds: int) -> Trigger:
    """Act when `seconds` have passed since the last applied plan."""
    return IntervalTrigger(seconds)
