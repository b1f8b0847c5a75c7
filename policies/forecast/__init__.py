"""Volatility: realised, forecast, judged out of sample, and sorted into regimes. For costs and limits, not to shrink bands."""
