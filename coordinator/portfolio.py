"""The portfolio: snapshots, prices and the sagas under way, put together as policies see them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from chains.base import Snapshot, Unknown
from chains.errors import Unknowable
from chains.ids import AccountId, ChainId, TokenId
from chains.tokens import Token
from coordinator.saga.machine import LegState, SagaState, State
from policies.base import Portfolio, Position, Prices


def portfolio(
    snapshots: Iterable[Snapshot], tokens: Mapping[TokenId, Token], sagas: Iterable[SagaState], prices: Prices, time: int
) -> Portfolio:
    """Every token of the treasury with what is held, leaving and arriving. Raises Unknowable when a balance could not be read."""
    held = {token: units for snapshot in snapshots for (_, token), units in _known(snapshot).items()}
    leaving: defaultdict[TokenId, int] = defaultdict(int)
    arriving: defaultdict[TokenId, int] = defaultdict(int)
    for leg in _under_way(sagas):
        arriving[leg.leg.lane.target.id] += leg.expects
        if leg.state in {State.WAITING, State.DEPARTING}:
            leaving[leg.leg.lane.source.id] += leg.leg.gives.units
    return Portfolio(
        tuple(Position(token, held[name], leaving[name], arriving[name]) for name, token in sorted(tokens.items()) if name in held),
        prices,
        time,
    )


def under_way(sagas: Iterable[SagaState]) -> frozenset[TokenId]:
    """Tokens that open legs give, take or pay fees in; their gaps against the book are not yet anybody's."""
    touched = {token for leg in _under_way(sagas) for token in (leg.leg.lane.source.id, leg.leg.lane.target.id)}
    return frozenset(touched)


def chains_under_way(sagas: Iterable[SagaState]) -> frozenset[ChainId]:
    """Chains on which open legs pay network fees."""
    return frozenset(token.chain for token in under_way(sagas))


def _under_way(sagas: Iterable[SagaState]) -> list[LegState]:
    return [leg for saga in sagas for leg in saga.legs.values() if not leg.state.ended]


def _known(snapshot: Snapshot) -> dict[tuple[AccountId, TokenId], int]:
    unknown = {key: units for key, units in snapshot.holdings.items() if isinstance(units, Unknown)}
    if unknown:
        (_, token), why = next(iter(unknown.items()))
        raise Unknowable(f"the balance of {token} could not be read: {why.reason}")
    return {key: units for key, units in snapshot.holdings.items() if isinstance(units, int)}
