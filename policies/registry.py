"""POLICIES: the explicit table of what a configuration may ask for, by name.

Explicit and typed, never entry points: merely installed code must not decide where funds go. mypy checks each line
against its protocol, so an incomplete policy fails here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Protocol

from policies.base import Policy, Targets, Trigger
from policies.cost_bands import CostBands
from policies.drift import BandPolicy, DriftTrigger, IntervalTrigger
from policies.intent import IntentPolicy
from policies.risk_targets import KINDS, RiskTargets
from policies.tuning import Tuning

UNTUNED = Tuning()


class Build(Protocol):
    """Makes a policy of the owner's bands and of what it is tuned with."""

    def __call__(self, bands: Targets, tuning: Tuning = UNTUNED) -> Policy: ...


def plain(policy: Callable[[Targets], Policy]) -> Build:
    """A policy that needs its bands only."""
    return lambda bands, tuning=UNTUNED: policy(bands)


def _cost_bands(bands: Targets, tuning: Tuning = UNTUNED) -> Policy:
    return CostBands(bands, tuning.risk, tuning.aversion, tuning.costs, tuning.landing)


def _by_risk(kind: str) -> Build:
    return lambda bands, tuning=UNTUNED: RiskTargets(bands, tuning.risk, kind, tuning.width, tuning.aversion, tuning.expected)


def _intent(bands: Targets, tuning: Tuning = UNTUNED) -> Policy:
    return IntentPolicy(bands, tuning.intent, tuning.risk, tuning.costs.proportional, tuning.costs.per_leg)


POLICIES: Mapping[str, Build] = {
    "bands": plain(BandPolicy),
    "cost-bands": _cost_bands,
    **{kind: _by_risk(kind) for kind in KINDS},
    "intent": _intent,
}
TUNED = frozenset(POLICIES) - {"bands"}
"""Policies that need an estimate of risk."""


def drift_trigger(beyond: Fraction) -> Trigger:
    """Act when a weight lies more than `beyond` (share of NAV) outside its band."""
    return DriftTrigger(beyond)


def interval_trigger(seconds: int) -> Trigger:
    """Act when `seconds` have passed since the last applied plan."""
    return IntervalTrigger(seconds)
