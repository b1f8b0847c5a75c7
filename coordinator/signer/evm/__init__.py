"""EVM transactions as the signer reads them: bytes, calls, signatures. Written down again, on purpose, from the public formats."""
