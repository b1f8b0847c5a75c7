"""Portfolios for policy tests: weights in, a portfolio with exact prices and a past out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from chains.ids import ChainId, TokenId
from chains.tokens import Token
from policies.base import Band, Observation, Portfolio, Position, Price, Prices, Targets

NOW = 1_800_000_000
HOUR, DAY = 3600, 86_400
CHAIN = ChainId("eip155", "1")
NAV = 1_000_000


def token(asset: str) -> Token:
    return Token(TokenId(CHAIN, "slip44", str(sum(map(ord, asset)))), asset, 18)


def folio(
    weights: Mapping[str, object], prices: Mapping[str, object] | None = None, past: Sequence[Observation] = (), time: int = NOW
) -> Portfolio:
    """A million dollars by `weights` (numbers or texts); price 1 of everything unless told."""
    said = {asset: Fraction(str((prices or {}).get(asset, 1))) for asset in weights}
    positions = tuple(Position(token(a), int(Fraction(str(w)) * NAV / said[a] * 10**18)) for a, w in weights.items())
    return Portfolio(positions, Prices({a: Price(a, value, time, ("test",)) for a, value in said.items()}), time, tuple(past))


def seen(
    hours_ago: float, closed: Mapping[str, int] | None = None, suspect: Mapping[str, Fraction] | None = None, **prices: object
) -> Observation:
    """An earlier turn."""
    believed = {asset: Fraction(str(value)) for asset, value in prices.items()}
    return Observation(NOW - int(hours_ago * HOUR), believed, closed or {}, suspect or {})


def points(**weights: object) -> Targets:
    """Targets that are points."""
    return Targets({asset: Band(*(Fraction(str(weight)),) * 3) for asset, weight in weights.items()})


def bands(width: object, **weights: object) -> Targets:
    """Targets that are bands of one width."""
    half = Fraction(str(width))
    return Targets({a: Band(Fraction(str(w)) - half, Fraction(str(w)), Fraction(str(w)) + half) for a, w in weights.items()})
