"""Rails in memory: a bridge and a swap venue on simulated chains, the reference implementations of `bridges.base.Rail`.

relayer = install_bridge(world, "hop", [(usdc_a, usdc_b), (usdc_b, usdc_a)], Terms(latency_s=30))
bridge = SimulatedBridge("hop", routes, readers)   # as often as wanted: all it knows is on the chains
relayer.outage = True
"""

from __future__ import annotations

from bridges.base import Surroundings
from bridges.simulated.bridge import SimulatedBridge
from bridges.simulated.relay import Relayer, Terms, Transfer, install_bridge, message_id
from bridges.simulated.settings import SimulatedBridgeSettings, SimulatedPoolSettings, SimulatedVenueSettings
from bridges.simulated.venue import Pool, SimulatedVenue, install_pool
from chains.errors import Misconfigured
from chains.ids import TokenId
from chains.simulated import SimulatedWorld, world_named
from chains.tokens import Amount, Token

__all__ = [
    "Pool",
    "Relayer",
    "SimulatedBridge",
    "SimulatedBridgeSettings",
    "SimulatedPoolSettings",
    "SimulatedVenue",
    "SimulatedVenueSettings",
    "Terms",
    "Transfer",
    "build_bridge",
    "build_venue",
    "install_bridge",
    "install_pool",
    "message_id",
]


def build_bridge(settings: SimulatedBridgeSettings, surroundings: Surroundings) -> SimulatedBridge:
    """The bridge of its settings' world; the world keeps its contracts and relayer, so that building again changes nothing."""
    pairs = [(_token(s, surroundings), _token(t, surroundings)) for s, t in settings.pairs]
    routes = [route for s, t in pairs for route in ((s, t), (t, s))]
    world = _world(settings.world, [token for route in routes for token in route])
    terms = Terms(fee_bps=settings.fee_bps, latency_s=settings.latency_s, claim=settings.claim)
    install_bridge(world, settings.name, routes, terms)
    return SimulatedBridge(settings.name, routes, surroundings.readers)


def build_venue(settings: SimulatedVenueSettings, surroundings: Surroundings) -> SimulatedVenue:
    """The venue of its settings' world. Raises Misconfigured for a pool whose tokens are not of one chain."""
    pools = []
    for chosen in settings.pools:
        one, other = (_token(token, surroundings) for token in chosen.tokens)
        if one.chain != other.chain:
            raise Misconfigured(f"a pool needs two tokens of one chain, not {one} and {other}")
        pool = Pool(settings.name, (one, other), chosen.fee_bps)
        network = _world(settings.world, [one]).networks[one.chain]
        reserves = [Amount.parse(token, str(units)).units for token, units in zip(pool.tokens, chosen.reserves, strict=True)]
        install_pool(network, pool, (reserves[0], reserves[1]))
        pools.append(pool)
    return SimulatedVenue(settings.name, pools, surroundings.readers, settings.share_bps)


def _token(token: TokenId, surroundings: Surroundings) -> Token:
    found = surroundings.tokens.get(token)
    if found is None:
        raise Misconfigured(f"{token} is not among the treasury's tokens ({', '.join(map(str, sorted(surroundings.tokens)))})")
    return found


def _world(name: str, tokens: list[Token]) -> SimulatedWorld:
    world = world_named(name)
    missing = sorted({str(token.chain) for token in tokens} - {str(chain) for chain in world.networks})
    if missing:
        raise Misconfigured(f"the simulated world {name!r} has no network {', '.join(missing)}; give those chains kind simulated")
    return world
