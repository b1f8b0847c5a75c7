"""Risk: covariances, tracking error, and the weights that follow from them. Floats here are estimates, never amounts of money."""
