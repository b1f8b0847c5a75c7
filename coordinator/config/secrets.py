"""The scan for keys and seed phrases pasted into a configuration. It tells where, never what.

It looks at the raw text, comments included, because a commented-out key in a repository is as lost as any other.
"""

from __future__ import annotations

import re
from pathlib import Path

from coordinator.config.errors import Findings, Where
from coordinator.config.tree import Node

_MEND = "remove it from the file and its history, move the funds, and name a key file instead (key: {keystore: …, password_file: …})"
_PATTERNS = (
    ("a private key (32 bytes in hex)", re.compile(r"(?<![0-9a-zA-Z])(?:0x)?[0-9a-fA-F]{64}(?![0-9a-zA-Z])")),
    ("a Solana secret key (64 bytes in hex)", re.compile(r"(?<![0-9a-zA-Z])(?:0x)?[0-9a-fA-F]{128}(?![0-9a-zA-Z])")),
    ("a Solana secret key (64 bytes in base58)", re.compile(r"(?<![0-9a-zA-Z])[1-9A-HJ-NP-Za-km-z]{86,88}(?![0-9a-zA-Z])")),
    ("a secret key as a list of bytes", re.compile(r"\[\s*(?:\d{1,3}\s*,\s*){31,}\d{1,3}\s*,?\s*\]")),
    ("an extended private key", re.compile(r"(?<![0-9a-zA-Z])[xyzt]prv[1-9A-HJ-NP-Za-km-z]{80,}")),
    ("a private key in PEM", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
)
_PUBLIC = re.compile(  # 32 bytes that are no key
    r"\b(?:feed|code_hash|genesis|genesis_hash)\s*:\s*[\"']?(?:0x)?[0-9a-fA-F]{64}[\"']?(?=[\s,}]|$)"
)
_PHRASE = re.compile(r"[a-z]{3,8}(?: +[a-z]{3,8})*")
_PHRASE_WORDS = (12, 15, 18, 21, 24)


def scan(text: str, file: Path, findings: Findings) -> None:
    """Add a finding for everything in the raw text that looks like a key. The finding never holds the text."""
    hidden = _PUBLIC.sub(lambda match: " " * len(match[0]), text)
    for what, pattern in _PATTERNS:
        for match in pattern.finditer(hidden):
            line = text.count("\n", 0, match.start()) + 1
            column = match.start() - (text.rfind("\n", 0, match.start()) + 1) + 1
            findings.add(Where(str(file), line, column), (), f"looks like {what}", "", _MEND)


def scan_tree(root: Node, findings: Findings) -> None:
    """The same for what only the parsed tree shows: seed phrases, and keys as block lists of bytes."""
    for path, node in root.scalars():
        words = str(node.value or "").split()
        if len(words) in _PHRASE_WORDS and _PHRASE.fullmatch(" ".join(words)):
            findings.add(node.where, path, "looks like a seed phrase", "", _MEND)
    _scan_lists(root, (), findings)


def _scan_lists(node: Node, path: tuple[str, ...], findings: Findings) -> None:
    if isinstance(node.value, list):
        texts = [item.value for item in node.value if isinstance(item.value, str)]
        if len(texts) >= 32 and all(text.isdecimal() and int(text) < 256 for text in texts):
            findings.add(node.where, path, "looks like a secret key as a list of bytes", "", _MEND)
        if len(texts) in _PHRASE_WORDS and all(_PHRASE.fullmatch(text) and " " not in text for text in texts):
            findings.add(node.where, path, "looks like a seed phrase", "", _MEND)
        for index, item in enumerate(node.value):
            _scan_lists(item, (*path, str(index)), findings)
    for key, entry in node.entries.items():
        _scan_lists(entry.node, (*path, key), findings)
