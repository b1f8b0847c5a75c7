"""Own prices: what each asset is worth, from several sources that must agree."""
