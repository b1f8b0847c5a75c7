"""Composition: a treasury's configuration made into live parts, each when it is first used. The only file that opens the registries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING

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
from coordinator.saga.retry import reading

if TYPE_CHECKING:
    from coordinator.journal.store import Journal
    from coordinator.saga.executor import Executor


class App:
    """One treasury, ready to be looked at and, when it was opened with keys, to be acted for.

    A part is built when it is first asked for, and its libraries are loaded then: a look needs no rail, a list of transfers no chain.
    """

    def __init__(
        self, treasury: Treasury, clock: Clock, signers: Mapping[AccountId, Signer], detach: Callable[[], None] | None = None
    ) -> None:
        self.treasury = treasury
        self.clock = clock
        self.http = Http()
        self._signers = signers
        self._detach = detach  # ends the signer's process, where it is ours

    @classmethod
    def open(cls, treasury: Treasury, clock: Clock, *, keys: bool) -> App:
        """Contacts no network. `keys`: open them (only commands that send need them), or start the process that holds them.

        Raises Misconfigured when a key or the signer's policy is wrong.
        """
        if keys and treasury.signer.process:
            from coordinator.signer.child import attach  # late, as the keys themselves

            attached = attach(treasury)
            return cls(treasury, clock, attached.signers, attached.close)
        return cls(treasury, clock, _signers(treasury) if keys else {})

    @cached_property
    def chains(self) -> Mapping[ChainId, Chain]:
        return {name: CHAINS[settings.kind].build(settings, self._signers) for name, settings in self.treasury.chains.items()}

    @cached_property
    def rails(self) -> Mapping[str, Rail]:
        """Raises Misconfigured when a rail's settings and the treasury do not fit together."""
        around = Surroundings(self.chains, self.treasury.tokens, self.treasury.accounts, self.http)
        return {name: RAILS[name].build(settings, around) for name, settings in self.treasury.rails.items()}

    @cached_property
    def journal(self) -> Journal:
        """Opened, created or brought to the current schema. Raises NewerJournal."""
        from coordinator.journal.store import Journal  # late: brings the database library

        return Journal.open(self.treasury.database, self.clock)

    @cached_property
    def executor(self) -> Executor:
        from coordinator.saga.executor import Executor  # late: only commands that act need it

        return Executor(self.journal, self.chains, self.rails, self.clock)

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
        """Close what was built."""
        if self._detach is not None:
            self._detach()
        await self.http.aclose()
        built = vars(self)  # where cached_property keeps what it made
        if "chains" in built:
            await asyncio.gather(*(chain.aclose() for chain in self.chains.values()))
        if "journal" in built:
            self.journal.close()

    async def __aenter__(self) -> App:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()


def _signers(treasury: Treasury) -> Mapping[AccountId, Signer]:
    from chains.keys import load_signer  # late: decrypting brings crypto libraries that a look at the treasury never needs

    return {treasury.accounts[chain]: load_signer(treasury.accounts[chain], key) for chain, key in treasury.keys.items()}
