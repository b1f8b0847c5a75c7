"""Solana messages as the signer reads them: bytes and instructions. Written down again, on purpose, from the public formats."""
