"""Our own ECDSA against eth_keys and the published vectors of RFC 6979 for this curve."""

from __future__ import annotations

from random import Random

import pytest
from eth_keys.datatypes import PrivateKey

from coordinator.signer.evm import secp256k1

RNG = Random(6979)
EDGES = [1, 2, 3, secp256k1.N - 1, secp256k1.N - 2, 2**128, 2**255]


@pytest.mark.parametrize("secret", [*EDGES, *(RNG.randrange(1, secp256k1.N) for _ in range(20))])
def test_sign__any_key_and_digest__as_eth_keys_does(secret: int) -> None:
    known = PrivateKey(secret.to_bytes(32, "big"))
    assert secp256k1.public_key(secret) == known.public_key.to_bytes()
    for digest in (bytes(32), b"\xff" * 32, RNG.randbytes(32)):
        signature = known.sign_msg_hash(digest)
        expected = signature.r.to_bytes(32, "big") + signature.s.to_bytes(32, "big") + bytes([signature.v])
        assert secp256k1.sign(secret, digest) == expected


def test_sign__published_vector__equals_it() -> None:
    """Key 1, SHA-256 of "Satoshi Nakamoto": https://bitcointalk.org/index.php?topic=285142.40, as libraries of this curve use it."""
    from hashlib import sha256

    signature = secp256k1.sign(1, sha256(b"Satoshi Nakamoto").digest())
    assert signature[:32].hex() == "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
    assert signature[32:64].hex() == "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5"


@pytest.mark.parametrize("secret", [0, secp256k1.N, secp256k1.N + 1])
def test_public_key__no_secret_key__is_refused(secret: int) -> None:
    with pytest.raises(ValueError, match="not a secret key"):
        secp256k1.public_key(secret)
