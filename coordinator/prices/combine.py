"""One price out of what several sources said, or the reason why there is none. Pure; never a silent fallback, never par."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from coordinator.config.quantities import show_decimal, show_rate, show_share
from coordinator.prices.base import Peg, PriceRule, Said, Silent
from policies.base import Price


def combine(rule: PriceRule, answers: Sequence[Said | Silent]) -> Price | str:
    """The price under `rule`, or why the asset has none. `answers` in the order of the rule's sources.

    The price is as old as the oldest answer it stands on. All answers must lie within `max_deviation` of each other, measured
    from the lowest; exactly that far apart still counts.
    """
    said = [answer for answer in answers if isinstance(answer, Said)]
    silent = [f"{answer.source} {answer.reason}" for answer in answers if isinstance(answer, Silent)]
    if len(said) < rule.need or not said:
        return f"{len(said)} of {len(rule.sources)} sources answer, {max(rule.need, 1)} are needed: {'; '.join(silent)}"
    low, high = min(said, key=lambda answer: answer.value), max(said, key=lambda answer: answer.value)
    deviation = high.value / low.value - 1
    if deviation > rule.max_deviation:
        told = f"{low.source} says ${show_decimal(low.value)}, {high.source} says ${show_decimal(high.value)}"
        return f"sources disagree: {told}; that is {show_share(deviation)}, allowed are {show_share(rule.max_deviation)}"
    used = said if rule.combine == "median" else said[:1]
    value = median([answer.value for answer in used])
    if rule.peg is not None:
        refusal = depegged(value, rule.peg)
        if refusal:
            return refusal
    return Price(rule.asset, value, min(answer.time for answer in used), tuple(answer.source for answer in said), deviation)


def depegged(value: Fraction, peg: Peg) -> str:
    """Why a price counts as depegged, or nothing. Exactly `tolerance` off still counts as pegged."""
    off = abs(value / peg.value - 1)
    if off <= peg.tolerance:
        return ""
    found = f"${show_decimal(value)} is {show_rate(off)} off its peg of ${show_decimal(peg.value)}"
    return f"depegged: {found}, allowed are {show_rate(peg.tolerance)}"


def median(values: Sequence[Fraction]) -> Fraction:
    """The middle value, exact; of an even number the mean of the middle two."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
