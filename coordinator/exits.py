"""Exit codes: what a script may rely on, and the exceptions that carry one. Outcomes start at 10, so that 2 stays with the parser."""

from enum import IntEnum


class Exit(IntEnum):
    OK = 0
    ERROR = 1
    USAGE = 2  # bad command line or configuration
    CHANGES = 10  # a plan is waiting to be applied
    APPROVAL = 11
    BLOCKED = 12  # by a guard rule, a breaker or a missing price
    STALE = 13  # expired, applied before, or outside its envelope
    IN_DOUBT = 14  # a person is needed
    COMPENSATED = 15  # some legs did not happen; nothing is lost
    RUNNING = 16  # stopped waiting; the saga goes on with the next apply --resume


class Ended(Exception):
    """A command cannot go on: the message is for people, `code` is how it ends. Kept here, where catching it loads nothing."""

    code = Exit.ERROR
