"""Composition: a treasury's configuration made into live parts. The only file that opens the registries."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType

from bridges.base import Rail, Surroundings
from bridges.http import Http
from bridges.registry import RAILS
from chains.base import Chain, Signer
from chains.errors import Misconfigured
from chains.ids import AccountId, ChainId
from chains.registry import CHAINS
from chains.tokens import Token
from coordinator.clock import Clock
from coordinator.config.treasury import Treasury
from coordinator.journal.store import Journal
from coordinator.saga.executor import Executor
from coordinator.saga.retry import reading


@dataclass
class App:
    """One treasury, ready to be looked at and, when it was opened with keys, to be acted for."""

    treasury: Treasury
    clock: Clock
    journal: Journal
    chains: Mapping[ChainId, Chain]
    rails: Mapping[str, Rail]
    http: Http
    executor: Executor

    @classmethod
    def open(cls, treasury: Treasury, clock: Clock, *, keys: bool) -> App:
        """Build everything; contacts nothing. `keys`: also read the key files (only commands that send need them)."""
        signers = _signers(treasury) if keys else {}
        chains = {name: CHAINS[settings.kind].build(settings, signers) for name, settings in treasury.chains.items()}
        http = Http()
        around = Surroundings(chains, treasury.tokens, treasury.accounts, http)
        rails = {name: RAILS[name].build(settings, around) for name, settings in treasury.rails.items()}
        journal = Journal.open(treasury.database, clock)
        return cls(treasury, clock, journal, chains, rails, http, Executor(journal, chains, rails, clock))

    async def check_tokens(self) -> None:
        """Every configured token exists and has the decimals that the configuration says. Raises Misconfigured."""
        tokens = [token for token in self.treasury.tokens.values() if not token.id.is_native]
        found = await asyncio.gather(*map(self._decimals, tokens))
        for token, decimals in zip(tokens, found, strict=True):
            if token.decimals != decimals:
                name = self.treasury.names[token.id]
                raise Misconfigured(
                    f"tokens.{name}: the configuration says {token.decimals} decimals, the chain says {decimals}; "
                    f"check that {token.id} is the token you mean, then write decimals: {decimals}"
                )

    async def _decimals(self, token: Token) -> int:
        try:
            return await reading(lambda: self.chains[token.chain].decimals(token.id), self.clock)
        except Misconfigured as problem:
            raise Misconfigured(f"tokens.{self.treasury.names[token.id]}: {problem}") from None

    async def aclose(self) -> None:
        await self.http.aclose()
        await asyncio.gather(*(chain.aclose() for chain in self.chains.values()))
        self.journal.close()

    async def __aenter__(self) -> App:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()


def _signers(treasury: Treasury) -> Mapping[AccountId, Signer]:
    from chains.keys import load_signer  # late: decrypting brings crypto libraries that a look at the treasury never needs

    return {treasury.accounts[chain]: load_signer(treasury.accounts[chain], key) for chain, key in treasury.keys.items()}
