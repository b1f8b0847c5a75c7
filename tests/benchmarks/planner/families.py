"""Instance generators for the planner: seeded, exact, in the planner's own JSON form."""

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

BRIDGES = (
    # name, fixed low, fixed high, basis points, latency, largest leg in dollars
    ("standard", 1.0, 6.0, 0.0, 960, 10_000_000),
    ("fast", 0.2, 2.0, 1.3, 12, 10_000_000),
    ("intent", 0.1, 1.0, 4.0, 5, 1_000_000),
    ("solver", 5.0, 12.0, 8.0, 10, 2_000_000),
)
PRICES = ("1", "1", "2500", "65000", "150", "0.9", "30", "1.08", "0.00002", "600", "4.2", "12")
DECIMALS = (6, 6, 18, 8, 9, 18, 18, 6, 5, 18, 10, 18)


def mesh(
    chains: int,
    assets: int,
    seed: int,
    *,
    presence: float = 0.6,
    nav: int = 10_000_000,
    tight: bool = False,
    depths: tuple[float, float] = (7.5, 9.0),
) -> dict[str, Any]:
    """Chains x assets, each asset present on a chain with probability `presence`; swaps inside chains, four bridge families between."""
    random = Random(f"mesh {chains} {assets} {seed}")
    tokens = _tokens(random, chains, assets, presence)
    here = {(token["chain"], token["asset"]) for token in tokens}
    lanes: list[dict[str, Any]] = []
    for one in tokens:
        for other in tokens:
            if one["chain"] == other["chain"] and one["asset"] != other["asset"]:
                lanes.append(_swap(random, one, other, depths))
            if one["chain"] != other["chain"] and one["asset"] == other["asset"]:
                lanes += _bridges(random, one, other)
    for number, lane in enumerate(lanes):
        lane["id"] = f"l{number}"
    return {
        "version": 1,
        "numeraire": "USD",
        "tokens": tokens,
        "holdings": _holdings(random, tokens, nav),
        "targets": _targets(random, chains, assets, here, tight=tight),
        "lanes": lanes,
        "limits": {"turnover": None, "cost": None, "legs": None},
    }


def _tokens(random: Random, chains: int, assets: int, presence: float) -> list[dict[str, Any]]:
    tokens: list[dict[str, Any]] = []
    for chain in range(chains):
        for asset in range(assets):
            if asset == 0 or random.random() < presence:
                row = asset % len(PRICES)
                name = f"A{asset}"
                tokens.append(
                    {"id": f"c{chain}/{name}", "asset": name, "chain": f"c{chain}", "decimals": DECIMALS[row], "price": PRICES[row]}
                )
    return tokens


def _units(token: dict[str, Any], dollars: float) -> int:
    return int(Decimal(repr(dollars)) / Decimal(token["price"]) * 10 ** token["decimals"])


def _holdings(random: Random, tokens: list[dict[str, Any]], nav: int) -> dict[str, str]:
    raw = [random.random() ** 3 + 0.005 for _ in tokens]
    return {token["id"]: str(_units(token, nav * share / sum(raw))) for token, share in zip(tokens, raw)}


def _swap(random: Random, source: dict[str, Any], target: dict[str, Any], depths: tuple[float, float]) -> dict[str, Any]:
    """A constant-product pool cut into four pieces: marginal rate (1 - fee) * (depth / (depth + x))^2 at each piece's middle."""
    depth = 10 ** random.uniform(*depths)
    fee = random.choice((0.0001, 0.0005, 0.003))
    edges = [depth * part for part in (0.005, 0.02, 0.05, 0.1)]
    schedule, last = [], 0.0
    for edge in edges:
        average = (1 - fee) * depth * depth / ((depth + last) * (depth + edge))
        schedule.append({"up_to": str(_units(source, edge)), "rate": f"{average:.9f}"})
        last = edge
    return {
        "id": "",
        "rail": "pool",
        "kind": "swap",
        "source": source["id"],
        "target": target["id"],
        "min": "1",
        "max": schedule[-1]["up_to"],
        "fixed": f"{random.uniform(0.02, 2.0):.2f}",
        "schedule": schedule,
        "latency_s": 15,
    }


def _bridges(random: Random, source: dict[str, Any], target: dict[str, Any]) -> list[dict[str, Any]]:
    lanes: list[dict[str, Any]] = []
    for name, low, high, points, latency, most in BRIDGES:
        if name != "fast" and random.random() < 0.35:
            continue
        top = _units(source, most * random.uniform(0.2, 1.0))
        lanes.append(
            {
                "id": "",
                "rail": name,
                "kind": "bridge",
                "source": source["id"],
                "target": target["id"],
                "min": str(max(_units(source, 1.0), 1)),
                "max": str(top),
                "fixed": f"{random.uniform(low, high):.2f}",
                "schedule": [{"up_to": str(top), "rate": f"{1 - (points + random.random()) / 10_000:.8f}"}],
                "latency_s": latency,
            }
        )
    return lanes


def _targets(random: Random, chains: int, assets: int, here: set[tuple[str, str]], *, tight: bool) -> dict[str, Any]:
    width = 0.05 if tight else 0.2
    weights = [random.random() + 0.2 for _ in range(assets)]
    shares = [random.random() + 0.3 for _ in range(chains)]
    asset_bands = {
        f"A{asset}": _band(weights[asset] / sum(weights), width) for asset in range(assets) if any(a == f"A{asset}" for _, a in here)
    }
    chain_bands = {f"c{chain}": _band(shares[chain] / sum(shares), width * 1.5) for chain in range(chains)}
    return {"assets": asset_bands, "chains": chain_bands}


def _band(share: float, width: float) -> dict[str, str]:
    return {"low": f"{share * (1 - width):.6f}", "high": f"{share * (1 + width):.6f}"}


def band(chains: int, tolerance: int, seed: int) -> tuple[dict[str, Any], list[int], list[int]]:
    """One stablecoin on a complete mesh, $5 m: the instance, and its balances (micro-dollars) and weights for the greedy ones.

    Draws follow a linear congruential generator, so that the family can be re-created anywhere.
    """
    draw = _congruential(7919 * seed + chains)
    weights = [5 + int(30 * draw()) for _ in range(chains)]
    raw = [weight / sum(weights) * (0.5 + draw()) for weight in weights]
    balances = [int(value / sum(raw) * 5e12) for value in raw]
    balances[0] += 5 * 10**12 - sum(balances)
    tokens = [{"id": f"c{i}/USDC", "asset": "USDC", "chain": f"c{i}", "decimals": 6, "price": "1"} for i in range(chains)]
    targets = [5 * 10**12 * weight // sum(weights) for weight in weights]
    bands = {
        f"c{i}/USDC": {"low_units": str(t - t * tolerance // 100), "high_units": str(max(t + t * tolerance // 100, balances[i]))}
        for i, t in enumerate(targets)
    }
    lanes = [_flat(one["id"], other["id"]) for one in tokens for other in tokens if one is not other]
    holdings = {token["id"]: str(units) for token, units in zip(tokens, balances)}
    document = {"version": 1, "tokens": tokens, "holdings": holdings, "targets": {"tokens": bands}, "lanes": lanes, "limits": {}}
    return document, balances, weights


def _flat(source: str, target: str) -> dict[str, Any]:
    top = str(10**13)
    piece = {"up_to": top, "rate": "1"}
    common = {"rail": "cctp", "kind": "bridge", "min": "1", "max": top, "fixed": "0.1", "schedule": [piece], "latency_s": 960}
    return {"id": f"{source}>{target}", "source": source, "target": target, **common}


def _congruential(seed: int) -> Callable[[], float]:
    state = seed % 2**32

    def draw() -> float:
        nonlocal state
        state = (1664525 * state + 1013904223) % 2**32
        return float(state / 2**32)

    return draw
