"""What deploying other templates over a living environment does, worked out before anything happens."""

from headrace.changes.assemblies import Assembly
from headrace.changes.assembly_files import AssemblyError
from headrace.changes.findings import Effect, Finding
from headrace.changes.planning import Plan, make_plan
from headrace.changes.reading import read_deployed, read_folder

__all__ = ["Assembly", "AssemblyError", "Effect", "Finding", "Plan", "make_plan", "read_deployed", "read_folder"]
