"""`coordinator signer`: the words of its command line, and the body that writes its policy. The signer itself is started afresh."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

if TYPE_CHECKING:
    from coordinator.commands.session import Session
    from coordinator.exits import Exit

signer = App(name="signer", help="The process that holds the keys: run it, or write the policy that it obeys.")
Config = Annotated[Path, Parameter(name=["--config", "-c"], help="The treasury's configuration.")]
DEFAULT = Path("treasury.yaml")


@signer.default
def run(
    *,
    policy: Annotated[Path, Parameter(help="The file that `coordinator signer policy` wrote.")],
    socket: Annotated[Path, Parameter(help="Where to answer.")],
) -> None:
    """Run the signer until it is told to stop. A coordinator with `signer: {kind: process}` and no socket starts one by itself.

    Example: `coordinator signer --policy /etc/coordinator/signer-policy.json --socket /run/coordinator-signer/signer.sock`
    """
    # A new interpreter, because this one has loaded the coordinator's libraries, which must not be where keys are.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "coordinator.signer", "--policy", str(policy), "--socket", str(socket)])  # noqa: S606


@signer.command(name="policy")
def policy(
    *,
    config: Config = DEFAULT,
    out: Annotated[Path | None, Parameter(help="Where to write it; default: signer.policy of the configuration.")] = None,
    journal: Annotated[Path | None, Parameter(help="The signer's own journal; default: beside the policy.")] = None,
    client: Annotated[int | None, Parameter(validator=Number(gte=0), help="User id that may ask; default: yours.")] = None,
) -> int:
    """Write the policy from the configuration and today's prices: pinned accounts, contracts, caps. Read it before you trust it.

    Example: `coordinator signer policy -c treasury.yaml`
    """
    from coordinator.commands.session import perform
    from coordinator.show.output import Output

    return perform(config, Output(False), write_policy(out, journal, client))


def write_policy(out: Path | None, journal: Path | None, client: int | None) -> Callable[[Session], Awaitable[Exit]]:
    """The body: asks the treasury's own oracles once. Raises Misconfigured when there is nothing to sign for."""

    async def body(session: Session) -> Exit:
        from coordinator.exits import Exit
        from coordinator.prices import observe
        from coordinator.signer.floor import percent
        from coordinator.signer.policy_file import parse
        from coordinator.signer.writing import Terms, policy_of, write

        treasury = session.treasury
        path = (out or treasury.signer.policy).absolute()
        lines = (journal or path.with_name("signer-journal.jsonl")).absolute()
        clients = (os.geteuid() if client is None else client,)
        terms = Terms(lines, clients, treasury.signer.price_tolerance, treasury.signer.message_fee)
        async with session.app() as app:
            now = app.clock.now()
            prices = await observe(treasury.assets, app.chains, app.http, now)
        document = policy_of(treasury, prices, terms, now)
        parse(document)  # what is written can be read
        write(path, document)
        for asset, why in prices.refused.items():
            session.out.error(f"no price of {asset}: {why}; the signer will move none of it")
        session.out.note(f"{path}: read it, then let the signer obey it. It was written at today's prices, and holds while they move")
        session.out.note(f"less than {percent(treasury.signer.price_tolerance)}. Signed for so far is counted in {lines}")
        return Exit.BLOCKED if prices.refused else Exit.OK

    return body
