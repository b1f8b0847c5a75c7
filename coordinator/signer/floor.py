"""The floor of a swap: what it must bring at least, at the policy's own prices."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from coordinator.signer.policy import Policy
from coordinator.signer.verdict import Refused, need


def check_floor(policy: Policy, gives: tuple[str, int], least: tuple[str, int]) -> None:
    """`gives` and `least`: token and base units. At least `swap_floor` of the value must come back, or Refused; also without a price."""
    given, taken = policy.value(*gives), policy.value(*least)
    if given is None or taken is None:
        raise Refused("price", f"{gives[0] if given is None else least[0]} has no price", "tokens with a price in the policy")
    need(least[1] > 0, "floor", "a swap that may bring nothing", "more than 0")
    found = f"at least {least[1]} for {gives[1]} base units"
    need(taken >= given * policy.swap_floor, "floor", found, f"{percent(policy.swap_floor)} of its value")


def percent(share: Fraction) -> str:
    """For people: 0.89 as 89%."""
    return f"{(Decimal(share.numerator * 100) / Decimal(share.denominator)).normalize():f}%"
