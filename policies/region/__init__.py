"""The no-trade region: when holding is optimal, what to trade when it is not, and the proof of either."""
