"""The words of the commands that stay: `serve` and `run`. Loaded when one of them is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

if TYPE_CHECKING:
    from coordinator.commands.session import Session
    from coordinator.exits import Exit

Config = Annotated[Path, Parameter(name=["--config", "-c"], help="The treasury's configuration.")]
Seconds = Annotated[float, Parameter(validator=Number(gt=0))]
Port = Annotated[int, Parameter(validator=Number(gte=1, lte=65535))]
Names = Annotated[tuple[str, ...], Parameter(negative="", help="A host name beside loopback by which it may be called; may be repeated.")]
DEFAULT = Path("treasury.yaml")


def serve(
    *,
    config: Config = DEFAULT,
    port: Annotated[Port, Parameter(help="Port to listen at.")] = 8787,
    host: Annotated[str, Parameter(help="Address to listen at.")] = "127.0.0.1",
    name: Names = (),
    every: Annotated[Seconds, Parameter(help="Seconds between two looks at the networks.")] = 15.0,
) -> int:
    """The dashboard, until SIGINT or SIGTERM. What people read about it stands in `coordinator.cli`."""
    from coordinator.commands.session import perform
    from coordinator.show.output import Output

    async def body(session: Session) -> Exit:
        from coordinator.commands import serving

        return await serving.serve(session, serving.Where(port, host, name, every))

    return perform(config, Output(False), body)


def run(
    *,
    config: Config = DEFAULT,
    every: Annotated[Seconds, Parameter(help="Seconds between two turns.")] = 60.0,
    grace: Annotated[float, Parameter(validator=Number(gte=0), help="Seconds that what was begun may go on after SIGTERM.")] = 60.0,
    once: Annotated[bool, Parameter(negative="", help="One turn; its outcome is the exit code.")] = False,
    dry_run: Annotated[bool, Parameter(negative="", help="Everything up to the moment of beginning, without keys.")] = False,
    port: Annotated[Port | None, Parameter(help="Serve the dashboard here too.")] = None,
    host: Annotated[str, Parameter(help="Address for the dashboard to listen at.")] = "127.0.0.1",
    name: Names = (),
) -> int:
    """The daemon, until SIGINT or SIGTERM, or one turn. What people read about it stands in `coordinator.cli`."""
    from coordinator.commands.session import perform
    from coordinator.show.output import Output

    async def body(session: Session) -> Exit:
        from coordinator.commands import running
        from coordinator.commands.serving import Where
        from coordinator.daemon.loop import Pace

        dashboard = Where(port, host, name) if port is not None else None
        return await running.run(session, running.Manner(Pace(every, grace), once, dry_run, dashboard=dashboard))

    return perform(config, Output(False), body)
