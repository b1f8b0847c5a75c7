"""POLICIES: the explicit table of what a configuration may ask for, by name.

Explicit and typed, never entry points: merely installed code must not decide where funds go. mypy checks each line
against its protocol, so an incomplete policy fails here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

from policies.base import Policy, Targets, Trigger
from policies.drift import BandPolicy, DriftTrigger, IntervalTrigger

if TYPE_CHECKING:
    from policies.tuning import Tuning


class Build(Protocol):
    """Makes a policy of the owner's bands and of what it is tuned with. Policies that reckon are imported here, late: they bring numpy."""

    def __call__(self, bands: Targets, tuning: Tuning | None = None) -> Policy: ...


def plain(policy: Callable[[Targets], Policy]) -> Build:
    """A policy that needs its bands only."""
    return lambda bands, tuning=None: policy(bands)


def _tuned(tuning: Tuning | None) -> Tuning:
    from policies.tuning import Tuning

    return tuning or Tuning()


def _cost_bands(bands: Targets, tuning: Tuning | None = None) -> Policy:
    from policies.cost_bands import CostBands

    t = _tuned(tuning)
    return CostBands(bands, t.risk, t.aversion, t.costs, t.landing)


def _by_risk(kind: str) -> Build:
    def build(bands: Targets, tuning: Tuning | None = None) -> Policy:
        from policies.risk_targets import RiskTargets

        t = _tuned(tuning)
        return RiskTargets(bands, t.risk, kind, t.width, t.aversion, t.expected)

    return build


def _intent(bands: Targets, tuning: Tuning | None = None) -> Policy:
    from policies.intent import IntentPolicy

    t = _tuned(tuning)
    return IntentPolicy(bands, t.intent, t.risk, t.costs.proportional, t.costs.per_leg)


POLICIES: Mapping[str, Build] = {
    "bands": plain(BandPolicy),
    "cost-bands": _cost_bands,
    "equal-risk": _by_risk("equal-risk"),
    "minimum-variance": _by_risk("minimum-variance"),
    "mean-variance": _by_risk("mean-variance"),
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
