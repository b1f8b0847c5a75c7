"""Circuit breakers: conditions that change what is wanted (no-buy, no-sell, reduce-only, freeze) and a named way back."""
