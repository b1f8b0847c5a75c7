"""The faults that weather is made of: each strikes one network or the rails around it, at once or for a while.

A fault answers None when it cannot strike here (there is no pool to move, no bridge to halt); then nothing is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random

from chains.base import Call
from chains.simulated import DROPPED, LOST_REPLY, LOST_REQUEST, SendFault, SimulatedNetwork, transfer
from coordinator.saga.machine import LegState
from tests.simulation.worlds import Scene

SHARE = 1_000  # foreign movements take or bring at most 1/SHARE of a balance


@dataclass(frozen=True)
class Blow:
    """What a fault may look at and touch. `network` is the one that the boundary at hand belongs to, else a drawn one."""

    rng: Random
    scene: Scene
    network: SimulatedNetwork
    legs: Mapping[str, LegState]
    rival: Callable[[], None] | None


@dataclass(frozen=True)
class Struck:
    """It happened. `undo` ends it after `seconds`; `local`: it concerns one network only."""

    undo: Callable[[], None] | None = None
    seconds: int = 0
    local: bool = True


Fault = Callable[[Blow], Struck | None]
FAULTS: dict[str, Fault] = {}
_WEIGHTS: dict[str, int] = {}


def fault(kind: str, weight: int = 2) -> Callable[[Fault], Fault]:
    def register(strike: Fault) -> Fault:
        FAULTS[kind] = strike
        _WEIGHTS[kind] = weight
        return strike

    return register


def drawn(rng: Random) -> str:
    return rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]


# sends ---------------------------------------------------------------------------------------------


def _send(blow: Blow, what: SendFault) -> Struck:
    blow.network.faults.sends.append(what)
    return Struck()


@fault("lost reply", 4)
def lost_reply(blow: Blow) -> Struck:
    return _send(blow, LOST_REPLY)


@fault("lost request", 4)
def lost_request(blow: Blow) -> Struck:
    return _send(blow, LOST_REQUEST)


@fault("dropped", 4)
def dropped(blow: Blow) -> Struck:
    return _send(blow, DROPPED)


@fault("delayed", 3)
def delayed(blow: Blow) -> Struck:
    return _send(blow, SendFault(answered=blow.rng.random() < 0.5, delay=blow.rng.randint(1, 60)))


@fault("forgotten in the mempool", 3)
def forgotten(blow: Blow) -> Struck | None:
    """What waits is dropped by the network after it was taken."""
    if not blow.network.mempool:
        return None
    blow.network.mempool.pop(blow.rng.randrange(len(blow.network.mempool)))
    return Struck()


# answers -------------------------------------------------------------------------------------------


@fault("no answer", 4)
def no_answer(blow: Blow) -> Struck:
    blow.network.faults.failing += blow.rng.randint(1, 4)
    return Struck()


@fault("too many requests", 3)
def too_many(blow: Blow) -> Struck:
    blow.network.faults.limited += blow.rng.randint(1, 4)
    return Struck()


@fault("unreachable", 3)
def unreachable(blow: Blow) -> Struck | None:
    weather = blow.network.faults
    if weather.unreachable:
        return None
    weather.unreachable = True
    return Struck(lambda: setattr(weather, "unreachable", False), blow.rng.choice([5, 30, 100]))


@fault("wrong network", 1)
def wrong_network(blow: Blow) -> Struck | None:
    weather = blow.network.faults
    if weather.speaks_for is not None:
        return None
    weather.speaks_for = next(chain for chain in blow.scene.accounts if chain != blow.network.id)
    return Struck(lambda: setattr(weather, "speaks_for", None), blow.rng.choice([2, 20]))


@fault("unread balance", 1)
def unread(blow: Blow) -> Struck:
    token = blow.rng.choice(blow.scene.tokens_on(blow.network.id)).id
    blow.network.faults.unread.add((None, token))
    return Struck(lambda: blow.network.faults.unread.discard((None, token)), 60)


# the chain itself ----------------------------------------------------------------------------------


@fault("reorganisation", 6)
def reorganisation(blow: Blow) -> Struck | None:
    deepest = blow.network.number - blow.network.finalized
    if not deepest:
        return None
    blow.network.reorganise(blow.rng.randint(1, deepest), forget=blow.rng.random() < 0.4)
    return Struck()


@fault("revert after simulation", 4)
def revert(blow: Blow) -> Struck:
    blow.network.faults.reverts.append("the state was another when it ran")
    return Struck()


@fault("dear gas", 2)
def dear_gas(blow: Blow) -> Struck | None:
    network, price = blow.network, blow.network.price
    if price > 10**6:
        return None
    network.price = price * blow.rng.choice([100, 10**18])  # the second one more than the account has
    return Struck(lambda: setattr(network, "price", price), blow.rng.choice([10, 120]))


@fault("paused token", 2)
def paused(blow: Blow) -> Struck:
    network, token = blow.network, blow.rng.choice(blow.scene.tokens_on(blow.network.id)).id
    network.pause(token)
    return Struck(lambda: network.pause(token, False), blow.rng.choice([10, 60, 200]))


@fault("blocked account", 2)
def blocked(blow: Blow) -> Struck:
    network, token = blow.network, blow.rng.choice(blow.scene.tokens_on(blow.network.id)).id
    account = blow.scene.accounts[network.id]
    network.block(token, account)
    return Struck(lambda: network.block(token, account, False), blow.rng.choice([10, 60, 200]))


# others --------------------------------------------------------------------------------------------


@fault("foreign transaction", 3)
def foreign(blow: Blow) -> Struck:
    """Somebody else uses our account: takes its next nonce, and sometimes a little of a token."""
    account = blow.scene.accounts[blow.network.id]
    tokens = [token for token in blow.scene.tokens_on(blow.network.id) if not token.id.is_native]
    token = blow.rng.choice(tokens).id
    units = blow.rng.choice([0, 1 + blow.scene.opening[token] // SHARE])
    call = transfer(token, blow.network.account("thief").address, units)
    blow.scene.foreign.add(blow.network.send_as(account, (call,)))
    return Struck()


@fault("gift", 3)
def gift(blow: Blow) -> Struck:
    """A stranger sends us tokens."""
    tokens = [token for token in blow.scene.tokens_on(blow.network.id) if not token.id.is_native]
    token = blow.rng.choice(tokens).id
    giver, units = blow.network.account("giver"), 1 + blow.scene.opening[token] // SHARE
    blow.network.fund(giver, token, units)
    call = transfer(token, blow.scene.accounts[blow.network.id].address, units)
    blow.network.send_as(giver, (call,), delay=blow.rng.randint(0, 5))
    return Struck()


@fault("price move", 3)
def price_move(blow: Blow) -> Struck | None:
    pools = [pool for pool in blow.scene.pools if pool.tokens[0].chain == blow.network.id]
    if not pools:
        return None
    pool, token = pools[0], blow.rng.choice(pools[0].tokens)
    account = blow.network.account(f"pool {pool.name} {pool.tokens[0].id} {pool.tokens[1].id}")
    blow.network.fund(account, token.id, blow.rng.choice([10, 400, 8_000]) * 10**token.decimals)
    return Struck()


@fault("two coordinators", 3)
def two_coordinators(blow: Blow) -> Struck | None:
    if blow.rival is None:
        return None
    blow.rival()
    return Struck(local=False)


# rails ---------------------------------------------------------------------------------------------


def _lever(blow: Blow, name: str, value: object, seconds: int) -> Struck | None:
    """Set one lever of a drawn bridge's relayer for a while; its rest position is the one it has when nobody touches it."""
    relayer = blow.scene.bridges[blow.rng.choice(list(blow.scene.bridges))][1]
    rest = False if isinstance(value, bool) else 0
    if getattr(relayer, name) != rest:
        return None
    setattr(relayer, name, value)
    return Struck(lambda: setattr(relayer, name, rest), seconds, local=False)


@fault("relayer outage", 4)
def outage(blow: Blow) -> Struck | None:
    return _lever(blow, "outage", True, blow.rng.choice([10, 60, 200]))


@fault("short delivery", 3)
def short(blow: Blow) -> Struck | None:
    return _lever(blow, "short", blow.rng.choice([1, 1_000, 10**30]), blow.rng.choice([60, 150]))


@fault("refund", 3)
def refund(blow: Blow) -> Struck | None:
    return _lever(blow, "refuse", True, blow.rng.choice([60, 150]))


@fault("stranger claims", 4)
def stranger(blow: Blow) -> Struck | None:
    return _lever(blow, "stranger", True, blow.rng.choice([60, 150]))


@fault("slow relayer", 2)
def slow_relayer(blow: Blow) -> Struck | None:
    return _lever(blow, "delay", blow.rng.randint(1, 30), 300)


@fault("other terms", 3)
def other_terms(blow: Blow) -> Struck:
    """Fees rise, or the bridge takes nothing for a while."""
    name = blow.rng.choice(list(blow.scene.bridges))
    relayer, before = blow.scene.bridges[name][1], blow.scene.terms[name]
    relayer.change_terms(blow.rng.choice([replace(before, fee_bps=900), replace(before, maximum=0), replace(before, message_fee=777)]))

    def restore() -> None:
        relayer.change_terms(before)

    return Struck(restore, blow.rng.choice([20, 200]), local=False)


@fault("false claim", 1)
def false_claim(blow: Blow) -> Struck:
    """Somebody claims at a bridge what was never sent; it must fail and change nothing for us."""
    name = blow.rng.choice(list(blow.scene.bridges))
    contract = blow.scene.bridges[name][1].contracts[blow.network.id]
    call = Call(blow.network.id, contract.address, b'{"message": "0x00", "method": "claim"}', "claim nothing")
    blow.network.send_as(blow.network.account("stranger"), (call,))
    return Struck()
