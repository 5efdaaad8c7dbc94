"""What deploying other templates over a living environment does, worked out before anything happens."""

from headrace.changes.findings import Effect, Finding
from headrace.changes.planning import Plan, make_plan

__all__ = ["Effect", "Finding", "Plan", "make_plan"]
