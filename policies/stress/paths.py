"""Shocks as hourly price paths: factors on today's prices, one row an hour, the first row all ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from chains.tokens import AssetId
from policies.risk.covariance import BadEstimate, Floats

HOUR = 3600


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """`factors`: (hours, assets). `dearer`: what every cost is multiplied with meanwhile."""

    name: str
    assets: tuple[AssetId, ...]
    factors: Floats
    dearer: int = 1


def paths(assets: Sequence[AssetId], stable: frozenset[AssetId]) -> tuple[Path, ...]:
    """The set every treasury goes through: crash, whipsaw, bad tick, each volatile asset dying, each stable at 0.88, gas twentyfold.

    Raises BadEstimate when there is no asset.
    """
    if not assets:
        raise BadEstimate("there is no asset to stress")
    volatile = [asset for asset in assets if asset not in stable]
    found = [_path("quiet", assets, {}, 48)]
    if volatile:
        fall = dict.fromkeys(volatile, _line(0.5, 24, 72))
        found += [_path("crash: everything volatile halves in a day", assets, fall, 72)]
        found += [_path("crash, every cost twentyfold", assets, fall, 72, dearer=20)]
        found += [_path("whipsaw: down 30% in 6 h and back", assets, dict.fromkeys(volatile, _whipsaw(0.7, 6, 72)), 72)]
        found += [_path(f"{asset} dies: to a ten-thousandth in 96 h", assets, {asset: _line(1e-4, 96, 240)}, 240) for asset in volatile]
    for asset in assets:
        if asset in stable:
            found += [_path(f"{asset} at 0.88 for two days, then back", assets, {asset: _step(0.88, 48, 96)}, 96)]
        found += [_path(f"bad tick: {asset} at a fifth for one hour", assets, {asset: _step(0.2, 1, 48)}, 48)]
    return tuple(found)


def _path(name: str, assets: Sequence[AssetId], moves: Mapping[AssetId, Floats], hours: int, dearer: int = 1) -> Path:
    columns = [moves.get(asset, np.ones(hours)) for asset in assets]
    return Path(name, tuple(assets), np.column_stack(columns), dearer)


def _line(to: float, hours: int, whole: int) -> Floats:
    """Straight in logs from 1 to `to` within `hours`, then flat."""
    return np.asarray(to ** np.clip(np.arange(whole) / hours, 0.0, 1.0))


def _whipsaw(to: float, hours: int, whole: int) -> Floats:
    return np.asarray(to ** np.clip(1.0 - np.abs(np.arange(whole) / hours - 1.0), 0.0, 1.0))


def _step(to: float, hours: int, whole: int) -> Floats:
    """At `to` from the second row on, for `hours`, then back at 1."""
    at = np.arange(whole)
    return np.where((at >= 1) & (at <= hours), to, 1.0)
