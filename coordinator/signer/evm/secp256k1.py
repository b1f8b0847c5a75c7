"""ECDSA over secp256k1 with deterministic nonces (RFC 6979), low s; plain Python, so that the signer needs no Ethereum library.

Source: https://www.secg.org/sec2-v2.pdf (curve), https://www.rfc-editor.org/rfc/rfc6979 (nonces), EIP-2 (low s). Points are
Jacobian (x, y, z), started at a random z, so that timing tells little of the nonce. Tests hold every result against eth_keys.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
Point = tuple[int, int, int]
_INFINITY: Point = (0, 1, 0)


def public_key(secret: int) -> bytes:
    """64 bytes x ‖ y. Raises ValueError unless 0 < secret < N."""
    if not 0 < secret < N:
        raise ValueError("not a secret key")
    x, y = _times(secret)
    return x.to_bytes(32, "big") + y.to_bytes(32, "big")


def sign(secret: int, digest: bytes) -> bytes:
    """65 bytes r ‖ s ‖ y_parity over a 32-byte digest."""
    message = int.from_bytes(digest, "big") % N
    for nonce in _nonces(secret, digest):
        x, y = _times(nonce)
        r = x % N
        s = pow(nonce, -1, N) * (message + r * secret) % N
        if r == 0 or s == 0 or x >= N:
            continue
        parity = y & 1
        if s > N // 2:
            s, parity = N - s, parity ^ 1
        return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([parity])
    raise AssertionError("no nonce was good")  # the nonces never end


def _nonces(secret: int, digest: bytes) -> Iterator[int]:
    """RFC 6979, section 3.2, with HMAC-SHA-256."""
    seed = secret.to_bytes(32, "big") + (int.from_bytes(digest, "big") % N).to_bytes(32, "big")
    k, v = bytes(32), b"\x01" * 32
    for step in (b"\0", b"\1"):
        k = hmac.digest(k, v + step + seed, "sha256")
        v = hmac.digest(k, v, "sha256")
    while True:
        v = hmac.digest(k, v, "sha256")
        nonce = int.from_bytes(v, "big")
        if 0 < nonce < N:
            yield nonce
        k = hmac.digest(k, v + b"\0", "sha256")
        v = hmac.digest(k, v, "sha256")


def _times(scalar: int) -> tuple[int, int]:
    """scalar * G, affine; adds at every bit and throws half of it away, so that the work does not depend on the scalar."""
    z = secrets.randbelow(P - 1) + 1
    base: Point = (G[0] * z * z % P, G[1] * z * z * z % P, z)
    result = _INFINITY
    for bit in range(255, -1, -1):
        result = _double(result)
        added = _add(result, base)
        result = (result, added)[scalar >> bit & 1]
    inverse = pow(result[2], -1, P)
    return result[0] * inverse**2 % P, result[1] * inverse**3 % P


def _double(point: Point) -> Point:
    x, y, z = point
    if z == 0:
        return _INFINITY
    a = x * x % P
    b = y * y % P
    c = b * b % P
    d = 2 * ((x + b) ** 2 - a - c) % P
    e = 3 * a % P
    x3 = (e * e - 2 * d) % P
    return x3, (e * (d - x3) - 8 * c) % P, 2 * y * z % P


def _add(one: Point, other: Point) -> Point:
    if one[2] == 0:
        return other
    z1, z2 = one[2] ** 2 % P, other[2] ** 2 % P
    u1, u2 = one[0] * z2 % P, other[0] * z1 % P
    s1, s2 = one[1] * z2 * other[2] % P, other[1] * z1 * one[2] % P
    if u1 == u2:
        return _double(one) if s1 == s2 else _INFINITY
    h, r = u2 - u1, s2 - s1
    h2 = h * h % P
    h3 = h * h2 % P
    v = u1 * h2 % P
    x3 = (r * r - h3 - 2 * v) % P
    return x3, (r * (v - x3) - s1 * h3) % P, h * one[2] * other[2] % P
