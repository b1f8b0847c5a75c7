"""EIP-1559 fees with caps: what to offer, and when not to send at all.

max fee = 2 x base fee + priority, which stays valid through six full blocks in a row (the base fee rises by at most
1/8 a block; https://eips.ethereum.org/EIPS/eip-1559), and never above the configured cap.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from chains.errors import OutsideTerms

GWEI = 10**9


@dataclass(frozen=True, slots=True)
class Fees:
    """Wei a unit of gas. `expected` is what will be paid at the present base fee, `most` what may be paid."""

    base: int
    priority: int
    most: int

    @property
    def expected(self) -> int:
        return self.base + self.priority


@dataclass(frozen=True, slots=True)
class Caps:
    """Highest max fee and priority fee, wei a unit of gas."""

    most: int
    priority: int

    @classmethod
    def of_gwei(cls, most: str, priority: str) -> Caps:
        return cls(int(Decimal(most) * GWEI), int(Decimal(priority) * GWEI))

    def fees(self, base: int, suggested_priority: int) -> Fees:
        """What gas costs at this base fee, the priority fee cut to its cap. For estimates: it may be above the cap on the whole."""
        priority = min(suggested_priority, self.priority)
        return Fees(base, priority, min(2 * base + priority, self.most))

    def offer(self, base: int, suggested_priority: int, where: str) -> Fees:
        """Raises OutsideTerms when the chain asks more than the cap at this very moment."""
        fees = self.fees(base, suggested_priority)
        if fees.base + fees.priority > self.most:
            raise OutsideTerms(
                f"{where}: gas costs {_gwei(fees.base + fees.priority)} gwei now (base {_gwei(base)}, priority {_gwei(fees.priority)}); "
                f"the cap is {_gwei(self.most)} gwei (max_fee_gwei). Wait for it to fall, or raise the cap"
            )
        return fees


def _gwei(wei: int) -> str:
    return f"{Decimal(wei) / GWEI:f}"
