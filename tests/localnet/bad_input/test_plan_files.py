"""Bad input in plan files, and good plan files in a world that moved on: shown at any time, applied never."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chains.ids import AccountId
from chains.tokens import Amount
from coordinator.config.load import load
from coordinator.lock import sole_actor
from coordinator.plan import Plan, PlannedLeg
from deploy.localnet.accounts import Role, address
from tests.localnet.bad_input.bench import APPLY, PLAN, Case, Change, Treasury, edit, nothing, refused

pytestmark = pytest.mark.localnet

ERROR, WRONG, BLOCKED, STALE = 1, 2, 12, 13
AGAIN = "Nothing was sent. Make a new plan with: coordinator plan"
ETHER = 10**18


def document(change: Callable[[dict[str, Any]], None]) -> Change:
    """Edit the plan file as with a text editor: its hash stays."""

    def edited(treasury: Treasury) -> None:
        made = json.loads(treasury.plan.read_text())
        change(made)
        treasury.plan.write_text(json.dumps(made))

    return edited


def forged(change: Callable[[Plan], Plan]) -> Change:
    return lambda treasury: treasury.forge(change)


def first_leg(change: Callable[[PlannedLeg], PlannedLeg]) -> Change:
    return forged(lambda plan: replace(plan, legs=(change(plan.legs[0]), *plan.legs[1:])))


def to_a_stranger(planned: PlannedLeg) -> PlannedLeg:
    return replace(planned, leg=replace(planned.leg, recipient=AccountId(planned.leg.recipient.chain, address(Role.DEPLOYER))))


def for_nearly_nothing(planned: PlannedLeg) -> PlannedLeg:
    return replace(planned, leg=replace(planned.leg, least=Amount(planned.leg.least.token, 1)))


def more_in_the_file(made: dict[str, Any]) -> None:
    made["plan"]["expires"] += 3600


def no_legs(made: dict[str, Any]) -> None:
    made["plan"]["legs"] = "all of them"


def above_the_cap(treasury: Treasury) -> None:
    """The plan claims to be made under the present configuration, which allows a leg far less than it gives."""
    treasury.edit(r"per_leg: \S+", "per_leg: $1_000")
    present = load(treasury.file).config_hash
    treasury.forge(lambda plan: replace(plan, config=present))


def applied_twice(treasury: Treasury) -> None:
    treasury.begin(give_up=True)


def under_way(treasury: Treasury) -> None:
    treasury.begin(give_up=False)


def ether_came(treasury: Treasury) -> None:
    beta, account = treasury.levers("beta"), treasury.accounts.evm
    held = beta.balance("native", account)
    treasury.undo.callback(treasury.settle)  # called last: the next case must not see this one's balance
    treasury.undo.callback(beta.set_native_balance, account, held)
    beta.set_native_balance(account, held + 2 * ETHER)
    treasury.settle()


def ether_rose(treasury: Treasury) -> None:
    price = treasury.levers("alpha").price("ETH/USD")
    treasury.undo.callback(treasury.network.set_price, "ETH/USD", price)
    treasury.network.set_price("ETH/USD", price * 103 / 100)


def pool_moved(treasury: Treasury) -> None:
    """A stranger sells so much ether on alpha that the plan's own sale would bring too little."""
    alpha = treasury.levers("alpha")
    dollars = alpha.trade("WETH", "USDC", 300 * ETHER, 500)
    treasury.undo.callback(alpha.trade, "USDC", "WETH", dollars, 500)


def usdc_paused(treasury: Treasury) -> None:
    alpha = treasury.levers("alpha")
    treasury.undo.callback(alpha.pause_usdc, False)
    alpha.pause_usdc()


def blacklisted(treasury: Treasury) -> None:
    alpha = treasury.levers("alpha")
    treasury.undo.callback(alpha.blacklist, treasury.accounts.evm, False)
    alpha.blacklist(treasury.accounts.evm)


def another_applies(treasury: Treasury) -> None:
    treasury.undo.enter_context(sole_actor(treasury.journal))


CASES = (
    # the file
    Case("plan file missing", lambda t: t.plan.unlink(), WRONG, ("plan.json: there is no such file", "coordinator plan --out"), APPLY),
    Case("plan file is a folder", nothing, WRONG, ("cannot be read", "name a plan file"), ("apply", "{folder}")),
    Case("not JSON", lambda t: t.plan.write_text("plan: yes"), WRONG, ("plan.json: not a plan file", "coordinator plan --out"), APPLY),
    Case("not text", lambda t: t.plan.write_bytes(b"\xff\xfe"), WRONG, ("plan.json: not a plan file",), APPLY),
    Case("JSON of something else", lambda t: t.plan.write_text("[1, 2]"), WRONG, ("schema is None", "coordinator/plan@1"), APPLY),
    Case(
        "other schema", document(lambda made: made.update(schema="coordinator/plan@9")), WRONG, ("schema is 'coordinator/plan@9'",), APPLY
    ),
    Case("field missing", document(lambda made: made["plan"].pop("legs")), WRONG, ("plan.json", "legs", "make a new plan"), APPLY),
    Case("field of a wrong kind", document(no_legs), WRONG, ("plan.json", "legs", "make a new plan"), APPLY),
    Case("edited plan", document(more_in_the_file), WRONG, ("the plan was edited after it was made", "make a new plan"), APPLY),
    Case("edited plan shown", document(more_in_the_file), WRONG, ("the plan was edited after it was made",), ("show", "{plan}")),
    Case("plan that cannot be written", nothing, WRONG, ("cannot be written", "name a file in a folder"), ("plan", "--out", "{folder}")),
    # forged: the content was changed, and the hash with it
    Case("recipient of a stranger", first_leg(to_a_stranger), BLOCKED, ("refused by recipient: leg 1", "find out who changed it"), APPLY),
    Case("least of nearly nothing", first_leg(for_nearly_nothing), BLOCKED, ("refused by min_out: leg 1", "limits.slippage"), APPLY),
    Case("plan of another treasury", forged(lambda plan: replace(plan, treasury="other")), BLOCKED, ("refused by config", "other"), APPLY),
    Case("leg above its cap", above_the_cap, BLOCKED, ("refused by per_leg: leg 1", "allowed: $1,000.00; split it"), APPLY),
    # the world moved
    Case("expired plan", forged(lambda plan: replace(plan, expires=plan.created)), STALE, ("stale: time plan: was in force", AGAIN), APPLY),
    Case("configuration changed", edit(r"per_leg: \S+", "per_leg: $300_000"), STALE, ("stale: configuration treasury.yaml", AGAIN), APPLY),
    Case("plan applied twice", applied_twice, STALE, ("was applied before", "at most once", "coordinator plan"), APPLY),
    Case("balance moved", ether_came, STALE, ("stale: balance beta.ETH: was 5 ETH, is 7 ETH", "either way", AGAIN), APPLY),
    Case("price moved", ether_rose, STALE, ("stale: price ETH: was $", "(300 bps); allowed: 100 bps either way", AGAIN), APPLY),
    Case("pool moved", pool_moved, STALE, ("stale: quote leg", "alpha.WETH to alpha.USDC", "or more", AGAIN), APPLY),
    Case("token paused", usdc_paused, STALE, ("stale: quote leg", "is no quote (", AGAIN), APPLY),
    Case("blacklisted account", blacklisted, BLOCKED, ("refused by stopped: alpha.USDC: alpha: a transfer: Blacklistable",), APPLY),
    # one at a time
    Case("another coordinator applies", another_applies, ERROR, ("another coordinator acts for", "wait for it"), APPLY),
    Case("plan while one is under way", under_way, BLOCKED, ("no plan while saga s-", "coordinator apply --resume"), PLAN),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan_file__wrong_or_stale__is_refused_and_nothing_sent(case: Case, treasury: Treasury) -> None:
    outcome = refused(case, treasury)

    assert outcome.out == "" or case.words[0] == "plan"
    assert "Traceback" not in outcome.err


def test_plan_file__stale__is_shown_and_says_so(treasury: Treasury) -> None:
    treasury.forge(lambda plan: replace(plan, expires=plan.created))
    treasury.edit(r"per_leg: \S+", "per_leg: $300_000")

    outcome = treasury.run("show", "{plan}")

    assert outcome.code == 0
    assert outcome.out.startswith("Plan ")
    assert "stale: it expired" in outcome.err
    assert "stale: the configuration has changed" in outcome.err
