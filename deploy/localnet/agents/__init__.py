"""The off-chain agents of the local network: each a small process that speaks the real service's shapes.

Every agent answers `GET /control` with its state and takes `POST /control` to be paused, delayed or made to fail.
"""
