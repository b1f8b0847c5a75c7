"""Plan files: a plan as one JSON document that can be shown at any time, applied once, and not edited unnoticed."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from cattrs import BaseValidationError, transform_error

from coordinator.codec import from_data, to_data
from coordinator.drafting import plan_id
from coordinator.exits import Ended, Exit
from coordinator.plan import Plan

SCHEMA = "coordinator/plan@1"


class BadPlanFile(Ended):
    """The file is not a plan as this program wrote it. The message says what is wrong and how to get a good one."""

    code = Exit.USAGE


def write(plan: Plan, path: Path) -> None:
    """Write the plan; a file that exists is replaced as a whole or not at all. Raises BadPlanFile when it cannot be written."""
    text = json.dumps({"schema": SCHEMA, "plan": to_data(plan)}, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    draft = path.with_name(path.name + ".part")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as problem:
        with suppress(OSError):
            draft.unlink()
        raise BadPlanFile(f"{path}: cannot be written: {problem.strerror}; name a file in a folder that exists and is yours") from None


def read(path: Path) -> Plan:
    """Raises BadPlanFile when there is no file, no JSON, another schema, a field that is wrong, or an edit since it was made."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadPlanFile(f"{path}: there is no such file; make one with: coordinator plan --out {path}") from None
    except OSError as problem:
        raise BadPlanFile(f"{path}: cannot be read: {problem.strerror}; name a plan file that this user may read") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as problem:
        raise BadPlanFile(f"{path}: not a plan file ({problem}); make a new one with: coordinator plan --out {path}") from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        raise BadPlanFile(f"{path}: schema is {schema!r}, this program reads {SCHEMA!r}; make a new plan with this program")
    try:
        plan = from_data(document.get("plan"), Plan)
    except (BaseValidationError, TypeError, AttributeError) as problem:
        where = "; ".join(transform_error(problem)[:3]) if isinstance(problem, BaseValidationError) else str(problem)
        raise BadPlanFile(f"{path}: {where}; the file was damaged or edited, make a new plan") from None
    if plan_id(plan) != plan.id:
        raise BadPlanFile(
            f"{path}: the plan was edited after it was made (its content no longer has the hash {plan.id[:12]}…); make a new plan"
        )
    return plan
