"""Hyperlane warp route: USDC is locked on one chain and released on another, against signatures of the route's validators."""
