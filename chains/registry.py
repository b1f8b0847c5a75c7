"""CHAINS: the explicit table of chain kinds, by the word a configuration uses.

An explicit table and never entry points: code that merely got installed must not move funds. Builders import
late, so that reading a configuration loads neither web3 nor solana.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from chains.base import Chain, Signer
from chains.ids import AccountId
from chains.settings import ChainSettings, EvmSettings, SimulatedSettings, SolanaSettings

Signers = Mapping[AccountId, Signer]
S = TypeVar("S", bound=ChainSettings)


@dataclass(frozen=True, slots=True)
class ChainKind:
    """One kind of chain: the model of its settings, and what makes a chain of them. Building contacts nothing."""

    settings: type[ChainSettings]
    build: Callable[[ChainSettings, Signers], Chain]


def _evm(settings: ChainSettings, signers: Signers) -> Chain:
    from chains.evm.chain import build

    return build(_of(EvmSettings, settings), signers)


def _solana(settings: ChainSettings, signers: Signers) -> Chain:
    from chains.solana.chain import build

    return build(_of(SolanaSettings, settings), signers)


def _simulated(settings: ChainSettings, signers: Signers) -> Chain:
    from chains.simulated import build

    return build(_of(SimulatedSettings, settings), signers)


def _of(kind: type[S], settings: ChainSettings) -> S:
    if not isinstance(settings, kind):
        raise TypeError(f"{settings.id}: settings of kind {settings.kind!r} where {kind.__name__} was needed")
    return settings


CHAINS: Mapping[str, ChainKind] = {
    "evm": ChainKind(EvmSettings, _evm),
    "solana": ChainKind(SolanaSettings, _solana),
    "simulated": ChainKind(SimulatedSettings, _simulated),
}
