"""Messages, the merkle tree against a plain one, and what a checkpoint signs."""

import pytest
from eth_utils.crypto import keccak

from deploy.localnet.agents.checkpoints import DEPTH, Checkpoint, Message, Tree, metadata


def plain_root(leaves: list[bytes]) -> bytes:
    """The root of a full tree of depth 32 computed level by level, empty leaves being zero."""
    level, empty = list(leaves), bytes(32)
    for _ in range(DEPTH):
        if len(level) % 2:
            level.append(empty)
        level = [keccak(level[i] + level[i + 1]) for i in range(0, len(level), 2)]
        empty = keccak(empty + empty)
    return level[0] if level else empty


def test_tree__every_size_up_to_nine__has_the_plain_trees_root() -> None:
    tree, leaves = Tree(), []
    for n in range(9):
        leaf = keccak(bytes([n]))
        leaves.append(leaf)
        assert tree.insert(leaf) == n
        assert tree.roots[n] == plain_root(leaves)
    assert len(set(tree.roots)) == 9


def raw(nonce: int = 7) -> bytes:
    parts = (bytes([3]), nonce.to_bytes(4, "big"), (31337001).to_bytes(4, "big"), b"s" * 32)
    return b"".join(parts) + (1399811149).to_bytes(4, "big") + b"r" * 32 + b"body"


def test_message__its_parts__are_where_the_mailbox_puts_them() -> None:
    message = Message(raw())
    assert (message.nonce, message.origin, message.target) == (7, 31337001, 1399811149)
    assert (message.recipient, message.body, message.id) == (b"r" * 32, b"body", keccak(raw()))


def test_message__too_short__is_refused() -> None:
    with pytest.raises(ValueError, match="at least 77 bytes, not 76"):
        Message(bytes(76))


def test_checkpoint__any_part_changed__has_another_digest() -> None:
    base = Checkpoint(Message(raw()), b"h" * 32, b"t" * 32, 4)
    others = [
        Checkpoint(Message(raw(8)), b"h" * 32, b"t" * 32, 4),
        Checkpoint(Message(raw()), b"i" * 32, b"t" * 32, 4),
        Checkpoint(Message(raw()), b"h" * 32, b"u" * 32, 4),
        Checkpoint(Message(raw()), b"h" * 32, b"t" * 32, 5),
    ]
    assert len({base.digest(), *(other.digest() for other in others)}) == 5
    signed = metadata(base, live=3)
    assert signed is not None
    assert signed[:68] == b"h" * 32 + b"t" * 32 + (4).to_bytes(4, "big")
    assert len(signed) == 68 + 2 * 65
    assert metadata(base, live=1) is None
