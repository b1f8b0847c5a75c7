"""The store of the journal: appends facts in one transaction each, refuses what was already said, folds it back.

SQLite with WAL and synchronous=FULL: what `record` returned from has survived a power cut. Every write takes
the write lock first (BEGIN IMMEDIATE), so two processes never interleave inside one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Engine, bindparam, create_engine, event, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from chains.ids import AccountId, TokenId
from coordinator.clock import Clock
from coordinator.codec import canonical, digest, from_data, to_data
from coordinator.journal.migrate import upgrade
from coordinator.journal.tables import attempts, credits, entries, events, plans, postings, sagas
from coordinator.ledger.book import Book
from coordinator.ledger.entry import Entry, Posting
from coordinator.plan import Plan
from coordinator.saga.machine import Arrived, Event, LegState, Returned, SagaState, Settled, Signed, Voided, apply

GENESIS = "0" * 64
_STORY = (
    select(events.c.number, events.c.leg, events.c.body, events.c.at)
    .where(events.c.saga == bindparam("saga"), events.c.number > bindparam("after"))
    .order_by(events.c.number)
)
_NEWEST = select(events.c.number, events.c.hash).order_by(events.c.number.desc()).limit(1)
_BOOKED = select(entries.c.id).where(entries.c.id.in_(bindparam("ids", expanding=True)))


class AlreadyApplied(Exception):
    """The plan was begun before; a plan is applied at most once."""


class Overtaken(Exception):
    """Another worker has written this leg's next event; fold again and go on from there."""


class Journal:
    """All durable state of one treasury."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._folds: dict[str, tuple[int, SagaState]] = {}  # of open sagas, with the number of the newest event folded in

    @classmethod
    def open(cls, path: Path, clock: Clock) -> Journal:
        """Open or create the file and bring it to the current schema. A newer schema than this program's is refused."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        engine = create_engine(f"sqlite:///{path}")
        event.listen(engine, "connect", _durable)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        upgrade(engine)
        return cls(engine, clock)

    def close(self) -> None:
        self._engine.dispose()

    # --- plans and sagas -------------------------------------------------------------------------

    def begin(self, plan: Plan) -> SagaState:
        """Record the plan and its saga. Raises AlreadyApplied."""
        saga = saga_id(plan.id)
        with self._write() as db:
            if db.scalar(select(plans.c.id).where(plans.c.id == plan.id)):
                raise AlreadyApplied(f"plan {plan.id[:12]} was applied before, as saga {saga}")
            names = [planned.leg.id for planned in plan.legs]
            if twin := db.scalar(select(events.c.saga).where(events.c.leg.in_(names)).limit(1)):
                raise AlreadyApplied(f"plan {plan.id[:12]} has legs that were begun before, in saga {twin}; make a new plan")
            now = self._clock.now()
            db.execute(insert(plans), {"id": plan.id, "body": canonical(to_data(plan)).decode(), "applied": now})
            db.execute(insert(sagas), {"id": saga, "plan": plan.id, "begun": now})
        return self.saga(saga)

    def plan(self, plan: str) -> Plan | None:
        with self._engine.begin() as db:
            body = db.scalar(select(plans.c.body).where(plans.c.id == plan))
        return None if body is None else _plan_of(body)

    def sagas(self) -> list[str]:
        """Ids of all sagas, oldest first."""
        with self._engine.begin() as db:
            return list(db.scalars(select(sagas.c.id).order_by(sagas.c.begun, sagas.c.id)))

    def last_begun(self) -> int | None:
        """Unix seconds at which the newest saga began."""
        with self._engine.begin() as db:
            return cast("int | None", db.scalar(select(func.max(sagas.c.begun))))

    def saga(self, saga: str) -> SagaState:
        """The fold of a saga's events. Raises KeyError when there is none of that name."""
        number, state = self._folds.get(saga) or (0, self._unbegun(saga))
        with self._engine.begin() as db:
            rows = db.execute(_STORY, {"saga": saga, "after": number}).all()
        for row in rows:
            state = state.with_leg(apply(state.legs[row.leg], from_data(json.loads(row.body), cast(Any, Event))))
        self._folds[saga] = (rows[-1].number if rows else number, state)
        if state.ended:
            del self._folds[saga]
        return state

    def _unbegun(self, saga: str) -> SagaState:
        with self._engine.begin() as db:
            plan_id = db.scalar(select(sagas.c.plan).where(sagas.c.id == saga))
        if plan_id is None:
            raise KeyError(saga)
        return SagaState(saga, plan_id, _first_states(cast(Plan, self.plan(plan_id))))

    def story(self, saga: str) -> list[tuple[str, Event, int]]:
        """(leg, event, unix seconds) in the order they happened."""
        with self._engine.begin() as db:
            rows = db.execute(_STORY, {"saga": saga, "after": 0}).all()
        return [(row.leg, from_data(json.loads(row.body), cast(Any, Event)), row.at) for row in rows]

    def record(self, saga: str, leg: LegState, happened: Sequence[Event], booked: Sequence[Entry] = ()) -> LegState:
        """Append events of one leg and their entries in one transaction; returns the leg after them.

        Raises Impossible (not in the table) before anything is written, Overtaken when another worker was first.
        """
        after = leg
        for fact in happened:
            after = apply(after, fact)
        try:
            with self._write() as db:
                for ordinal, fact in enumerate(happened, start=leg.facts):
                    self._append(db, (saga, leg, ordinal), fact)
                self._post(db, booked)
        except IntegrityError as clash:
            raise Overtaken(f"leg {leg.leg.id}: {clash.orig}") from clash
        return after

    def _append(self, db: Connection, place: tuple[str, LegState, int], fact: Event) -> None:
        """The ordinal is the writer's own count of the leg's events: a writer with an old fold clashes and is Overtaken."""
        saga, leg, ordinal = place
        last = db.execute(_NEWEST).first()
        row = {
            "number": last.number + 1 if last else 1,
            "saga": saga,
            "leg": leg.leg.id,
            "ordinal": ordinal,
            "body": canonical(to_data(fact, Event)).decode(),
            "at": self._clock.now(),
            "previous": last.hash if last else GENESIS,
        }
        db.execute(insert(events), {**row, "hash": link_hash(row)})
        _track(db, leg, fact)

    def references(self) -> frozenset[str]:
        """Every transaction that was ever signed here, and those by which others brought our legs to rest."""
        with self._engine.begin() as db:
            signed = db.scalars(select(attempts.c.reference)).all()
            arrived = db.scalars(select(entries.c.id).where(entries.c.kind.in_(("arrive", "refund")))).all()
        return frozenset(signed) | {name.rsplit("/", 1)[-1] for name in arrived}

    def credited(self, rail: str, message: str) -> str | None:
        """The leg that a message of a rail came to rest for, if any."""
        with self._engine.begin() as db:
            return cast("str | None", db.scalar(select(credits.c.leg).where(credits.c.message == f"{rail}/{message}")))

    # --- nonces ----------------------------------------------------------------------------------

    def next_nonce(self, sender: AccountId, at_least: int) -> int:
        """The lowest nonce above all that were signed with here, and >= at_least (what the chain says).

        It is taken when the signed transaction is recorded and not before: a nonce held for what is then never signed would hold
        up all later ones. A second worker that signs with the same one is Overtaken.
        """
        mine = attempts.c.chain == str(sender.chain), attempts.c.sender == sender.address
        with self._engine.begin() as db:
            highest = db.scalar(select(func.max(attempts.c.sequence)).where(*mine))
        return at_least if highest is None else max(at_least, int(highest) + 1)

    def has_used(self, sender: AccountId, nonce: int) -> bool:
        """True when a transaction of ours was signed with it."""
        wanted = select(attempts.c.reference).where(
            attempts.c.chain == str(sender.chain), attempts.c.sender == sender.address, attempts.c.sequence == nonce
        )
        with self._engine.begin() as db:
            return db.execute(wanted).first() is not None

    # --- ledger ----------------------------------------------------------------------------------

    def post(self, booked: Sequence[Entry]) -> None:
        if booked:
            with self._write() as db:
                self._post(db, booked)

    def _post(self, db: Connection, booked: Sequence[Entry]) -> None:
        known = set(db.scalars(_BOOKED, {"ids": [entry.id for entry in booked]})) if booked else set()
        fresh = {entry.id: entry for entry in booked if entry.id not in known}.values()
        if not fresh:
            return
        heads = [{"id": e.id, "kind": e.kind, "memo": e.memo, "saga": e.saga, "leg": e.leg, "at": e.at} for e in fresh]
        lines = [
            {"entry": entry.id, "line": line, "account": p.account, "token": str(p.token), "units": p.units, "height": p.height}
            for entry in fresh
            for line, p in enumerate(entry.postings)
        ]
        db.execute(insert(entries), heads)
        db.execute(insert(postings), lines)

    def book(self) -> Book:
        columns = (postings.c.account, postings.c.token, postings.c.units, postings.c.height)
        with self._engine.begin() as db:
            rows = db.execute(select(*columns).join(entries).order_by(entries.c.at, entries.c.id, postings.c.line)).all()
        tokens: dict[str, TokenId] = {}
        return Book(tuple(Posting(a, tokens.setdefault(t, TokenId.parse(t)), units, height) for a, t, units, height in rows))

    def entries(self) -> list[Entry]:
        """Every entry with its postings, oldest first."""
        with self._engine.begin() as db:
            heads = db.execute(select(entries).order_by(entries.c.at, entries.c.id)).all()
            lines = db.execute(select(postings).order_by(postings.c.entry, postings.c.line)).all()
        by_entry: dict[str, list[Posting]] = {}
        for line in lines:
            by_entry.setdefault(line.entry, []).append(Posting(line.account, TokenId.parse(line.token), line.units, line.height))
        return [Entry(h.id, h.kind, h.memo, h.at, tuple(by_entry[h.id]), h.saga, h.leg) for h in heads]

    def extent(self) -> tuple[int, int, int]:
        """How many plans, events and entries there are; it changes exactly when something was written."""
        with self._engine.begin() as db:
            begun = db.scalar(select(func.count()).select_from(plans))
            told = db.scalar(select(func.max(events.c.number)))
            return begun or 0, told or 0, db.scalar(select(func.count()).select_from(entries)) or 0

    # --- proof -----------------------------------------------------------------------------------

    def links(self) -> Iterator[dict[str, Any]]:
        """Every event row in order, for `verify`."""
        with self._engine.begin() as db:
            rows = db.execute(select(events).order_by(events.c.number)).mappings().all()
        yield from (dict(row) for row in rows)

    def plan_bodies(self) -> list[tuple[str, str]]:
        """(id, stored JSON) of every plan, for `verify`."""
        with self._engine.begin() as db:
            return [(row.id, row.body) for row in db.execute(select(plans.c.id, plans.c.body))]

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._engine.begin() as db:
            yield db


@lru_cache(maxsize=16)
def _plan_of(body: str) -> Plan:
    """Reading a plan costs more than all else of a fold, and equal bodies are equal plans."""
    return from_data(json.loads(body), Plan)


def _durable(connection: Any, _: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's own BEGIN, taken as IMMEDIATE above
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def saga_id(plan: str) -> str:
    return f"s-{plan[:12]}"


def _first_states(plan: Plan) -> dict[str, LegState]:
    ids = [planned.leg.id for planned in plan.legs]
    return {p.leg.id: LegState(p.leg, tuple(ids[i] for i in p.after), p.quote.takes.units) for p in plan.legs}


def link_hash(row: dict[str, Any]) -> str:
    """SHA-256 over the row's other columns; `previous` ties it to all before it."""
    return hashlib.sha256(canonical({key: value for key, value in row.items() if key != "hash"})).hexdigest()


def _track(db: Connection, leg: LegState, fact: Event) -> None:
    """Keep attempts and credits in step: one live transaction an intent, one transaction a nonce, one leg a message."""
    match fact:
        case Signed(stage, step, sub):
            intent = f"{leg.leg.id}/{stage}/{step}"
            row = {"reference": sub.reference, "intent": intent, "chain": str(sub.chain), "sender": sub.sender.address}
            db.execute(insert(attempts), {**row, "sequence": sub.sequence, "raw": sub.raw, "state": "live"})
        case Voided(reference, _):
            db.execute(update(attempts).where(attempts.c.reference == reference).values(state="void"))
        case Settled(_, _, receipt):
            db.execute(update(attempts).where(attempts.c.reference == receipt.reference).values(state="settled"))
        case Arrived(_, _, message) | Returned(_, _, message) if message:
            db.execute(insert(credits), {"message": f"{leg.leg.lane.rail}/{message}", "leg": leg.leg.id})


def verify(journal: Journal) -> str | None:
    """None when every event follows from the one before it and every plan is as it was applied, else what is wrong and where.

    A chain of hashes cannot show that its newest events were cut off; the ledger's gap against the chains does.
    """
    previous = GENESIS
    for number, row in enumerate(journal.links(), start=1):
        if row["number"] != number:
            return f"event {number} is missing (found {row['number']})"
        if row["previous"] != previous or row["hash"] != link_hash(row):
            return f"event {number} was changed or replaced: its hash does not follow from event {number - 1}"
        previous = row["hash"]
    changed = next((name for name, body in journal.plan_bodies() if digest({**json.loads(body), "id": ""}) != name), None)
    return None if changed is None else f"plan {changed[:12]} was changed: its content no longer has that hash"
