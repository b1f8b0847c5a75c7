"""The tables of the journal. Amounts are exact texts, because no SQL integer holds a uint256."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class ExactInt(TypeDecorator[int]):
    """An integer of any size, stored as its decimal text. SQLite's NUMERIC would round it, BIGINT would refuse it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value)


metadata = MetaData()

plans = Table(
    "plan",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("body", Text, nullable=False),
    Column("applied", Integer, nullable=False),
)

sagas = Table(
    "saga",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("plan", String(64), ForeignKey("plan.id"), nullable=False, unique=True),
    Column("begun", Integer, nullable=False),
)

events = Table(
    "event",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("saga", String(64), ForeignKey("saga.id"), nullable=False, index=True),
    Column("leg", String(64), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Integer, nullable=False),
    Column("previous", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False, unique=True),
    UniqueConstraint("leg", "ordinal", name="one_story_a_leg"),
)
"""`ordinal` fences two workers that both believe they drive a leg; `previous` lets the chain of hashes have one line only."""

attempts = Table(
    "attempt",
    metadata,
    Column("reference", String(128), primary_key=True),
    Column("intent", String(128), nullable=False),
    Column("chain", String(64), nullable=False),
    Column("sender", String(128), nullable=False),
    Column("sequence", Integer),
    Column("raw", LargeBinary, nullable=False),
    Column("state", String(8), nullable=False),
)
Index(
    "one_live_attempt_an_intent",
    attempts.c.intent,
    unique=True,
    sqlite_where=attempts.c.state == "live",
    postgresql_where=attempts.c.state == "live",
)
Index("one_attempt_a_nonce", attempts.c.chain, attempts.c.sender, attempts.c.sequence, unique=True)

credits = Table(
    "credit",
    metadata,
    Column("message", String(200), primary_key=True),
    Column("leg", String(64), nullable=False),
)
"""Which leg a bridge's message came to rest for: one message is credited once, whatever two legs may be told."""

entries = Table(
    "entry",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("memo", Text, nullable=False),
    Column("saga", String(64)),
    Column("leg", String(64)),
    Column("at", Integer, nullable=False),
)

postings = Table(
    "posting",
    metadata,
    Column("entry", String(200), ForeignKey("entry.id"), primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("account", String(200), nullable=False, index=True),
    Column("token", String(200), nullable=False),
    Column("units", ExactInt, nullable=False),
    Column("height", BigInteger, nullable=False),
)

APPEND_ONLY = ("plan", "saga", "event", "credit", "entry", "posting")
