"""Own prices: what each asset is worth, from several sources that must agree."""

from coordinator.prices.observation import observe

__all__ = ["observe"]
