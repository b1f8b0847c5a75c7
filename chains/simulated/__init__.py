"""A chain in memory: the reference implementation of `chains.base`, a test double, and a way to rehearse a treasury.

world = SimulatedWorld()
alpha = world.add(SimulatedNetwork(native))     # EVM-like or Solana-like, by the chain's namespace
alpha.add(usdc); alpha.fund(account, usdc.id, 10**9)
chain = world.chain(alpha.id, keys=[account])   # what a coordinator holds; the world outlives it
world.tick(60); alpha.faults.sends.append(LOST_REPLY); alpha.reorganise(2)
"""

from __future__ import annotations

from collections.abc import Mapping

from chains.base import Signer
from chains.clock import START, Clock, StillClock, SystemTime
from chains.ids import AccountId, TokenId
from chains.settings import SimulatedSettings
from chains.simulated.chain import SimulatedChain, cosigner_name
from chains.simulated.faults import DROPPED, LOST_REPLY, LOST_REQUEST, Faults, SendFault
from chains.simulated.machine import (
    Arguments,
    Contract,
    Frame,
    TokenContract,
    address_of,
    approve,
    decode,
    digest,
    encode,
    number,
    text,
    topic,
    transfer,
)
from chains.simulated.network import WORK_PER_CALL, Pace, SimulatedNetwork
from chains.simulated.world import Agent, SimulatedWorld
from chains.tokens import Amount, Token

__all__ = [
    "DROPPED",
    "LOST_REPLY",
    "LOST_REQUEST",
    "START",
    "WORK_PER_CALL",
    "Agent",
    "Arguments",
    "Clock",
    "Contract",
    "Faults",
    "Frame",
    "Pace",
    "SendFault",
    "SimulatedChain",
    "SimulatedNetwork",
    "SimulatedWorld",
    "StillClock",
    "TokenContract",
    "address_of",
    "approve",
    "build",
    "cosigner_name",
    "decode",
    "digest",
    "encode",
    "number",
    "text",
    "topic",
    "transfer",
    "world_named",
]

_WORLDS: dict[str, SimulatedWorld] = {}


def world_named(name: str) -> SimulatedWorld:
    """The world that settings call `name`, on the system's clock; made when first asked for, one a process."""
    if name not in _WORLDS:
        _WORLDS[name] = SimulatedWorld(SystemTime())
    return _WORLDS[name]


def build(settings: SimulatedSettings, signers: Mapping[AccountId, Signer]) -> SimulatedChain:
    """A chain of its settings' world. The network is made by the first who asks; later ones join it as it is.

    Keys: the accounts of `signers`, and every account that the settings fund.
    """
    world = world_named(settings.world)
    balances = {
        (AccountId(settings.id, address), token): Amount.parse(token, units).units
        for token, owners in _tokens(settings).items()
        for address, units in owners.items()
    }
    if settings.id not in world.networks:
        pace = Pace(block_s=settings.block_seconds, finality=settings.finality)
        network = world.add(SimulatedNetwork(settings.native_token, pace))
        for token in _tokens(settings):
            if not token.id.is_native:
                network.add(token)
        for (account, token), units in balances.items():
            network.fund(account, token.id, units)
    return world.chain(settings.id, {*signers, *(account for account, _ in balances)})


def _tokens(settings: SimulatedSettings) -> dict[Token, Mapping[str, str]]:
    tokens: dict[Token, Mapping[str, str]] = {settings.native_token: settings.balances}
    for name, token in settings.tokens.items():
        tokens[Token(TokenId.parse(name), token.asset, token.decimals)] = token.balances
    return tokens
