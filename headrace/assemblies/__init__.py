"""The templates of an environment: as CDK has synthesized them, or as its stacks stand."""

from headrace.assemblies.assembly import Assembly
from headrace.assemblies.files import AssemblyError
from headrace.assemblies.reading import read_deployed, read_folder

__all__ = ["Assembly", "AssemblyError", "read_deployed", "read_folder"]
