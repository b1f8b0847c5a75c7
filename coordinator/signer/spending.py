"""What was signed for lately, held against sliding windows: at no offset may a window hold more than its cap.

Counted at signing and never given back: a signature that is never used still counts until it leaves the window.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from coordinator.signer.policy import Policy
from coordinator.signer.verdict import Refused, Verdict, need

MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Spend:
    """`units`: base units by token; `usd` and `fees`: micro-USD of effects and of network fees."""

    at: int
    units: Mapping[str, int]
    usd: Fraction
    fees: Fraction


class Spending:
    """The spends that are still in the window, oldest first, and what they come to."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._spends: deque[Spend] = deque()
        self._units: Counter[str] = Counter()
        self._usd = self._fees = Fraction(0)
        self._latest = 0

    def now(self, clock: int) -> int:
        """The moment that counts: a clock that goes back does not bring spends back into the past."""
        return max(clock, self._latest)

    def check(self, verdict: Verdict, now: int) -> Spend:
        """The spend that signing would be. Raises Refused when a window would hold more than its cap, or something has no price."""
        policy, spend = self._policy, self._priced(verdict, now)
        self._forget(now)
        for token, units in spend.units.items():
            used, most = self._units[token], policy.caps[token].per_window
            need(used + units <= most, "window-cap", f"{units} after {used} base units of {token} in {policy.window} s", most)
        need(self._usd + spend.usd <= policy.window_usd, "window-usd", _usd(self._usd + spend.usd), _usd(policy.window_usd))
        need(self._fees + spend.fees <= policy.fees_usd, "window-fees", _usd(self._fees + spend.fees), _usd(policy.fees_usd))
        return spend

    def add(self, spend: Spend) -> None:
        self._latest = max(self._latest, spend.at)
        self._spends.append(spend)
        self._units.update(spend.units)
        self._usd, self._fees = self._usd + spend.usd, self._fees + spend.fees

    def _priced(self, verdict: Verdict, now: int) -> Spend:
        units: dict[str, int] = {}
        usd = Fraction(0)
        for effect in verdict.effects:
            if effect.spends:
                units[effect.token] = units.get(effect.token, 0) + effect.units
                usd += self._value(effect.token, effect.units)
        return Spend(now, units, usd, self._value(verdict.native, verdict.fee))

    def _value(self, token: str, units: int) -> Fraction:
        value = self._policy.value(token, units)
        if value is None:
            raise Refused("price", f"{token} has no price", "tokens with a price in the policy")
        return value

    def _forget(self, now: int) -> None:
        while self._spends and self._spends[0].at <= now - self._policy.window:
            old = self._spends.popleft()
            self._units.subtract(old.units)
            self._usd, self._fees = self._usd - old.usd, self._fees - old.fees


def _usd(micro: Fraction) -> str:
    cents = int(micro * 100 / MICRO)
    return f"${cents // 100:,}.{cents % 100:02}"
