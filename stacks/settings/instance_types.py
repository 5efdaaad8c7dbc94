"""Which instance types SageMaker's API knows for what."""

import json
import re
from enum import StrEnum
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints

from stacks.settings.section import Allowed

FILE: Final = Path(__file__).with_name("instance_types.json")
# Still named in the API's list, but current container images no longer run on them, or AWS no longer offers them.
RETIRED_FAMILIES: Final = frozenset({"m4", "c4", "p2", "p3", "p3dn"})


class Use(StrEnum):
    """What an instance is for, as messages call it."""

    ENDPOINT = "endpoints"
    NOTEBOOK = "notebook instances"
    PROCESSING = "processing jobs"
    TRAINING = "training jobs"
    TRANSFORM = "transform jobs"


@cache
def list_instance_types(use: Use) -> frozenset[str]:
    """The types that SageMaker's API knows, by what they are for."""
    known = json.loads(FILE.read_text(encoding="utf-8"))["types"][use]
    return frozenset(f"ml.{family}.{size}" for family, sizes in known.items() for size in sizes)


def check_offered(instance_type: str, use: Use) -> str:
    """Refuse a type that SageMaker's API does not know for a use.

    Raises:
        ValueError: Naming the sizes of the family, or a type that there is.
    """
    if instance_type in list_instance_types(use):
        return instance_type
    family = instance_type.rpartition(".")[0] + "."
    sizes = sorted(known.removeprefix(family) for known in list_instance_types(use) if known.startswith(family))
    hint = f"{family.rstrip('.')} comes as {', '.join(sizes)}" if sizes else "use another family, such as ml.m5.xlarge"
    raise ValueError(f"SageMaker has no {instance_type} for {use}; {hint}")


def _check_family(instance_type: str) -> str:
    family = instance_type.split(".")[1]
    if family in RETIRED_FAMILIES:
        raise ValueError(f"the {family} family is retired; use a current one such as ml.m5.xlarge")
    return instance_type


def _check_processor(instance_type: str) -> str:
    """Jobs have no Graviton instances (a g after the digit), and our serving container images are built for x86."""
    family = instance_type.split(".")[1]
    if re.search(r"\dg", family):
        raise ValueError(
            f"jobs and our container images do not run on Graviton ({family}); use an x86 family such as ml.m5.xlarge"
        )
    return instance_type


_InstanceType = Annotated[
    str,
    StringConstraints(pattern=r"^ml\.[a-z][a-z0-9-]*\.[a-z0-9-]+$"),
    AfterValidator(_check_family),
    AfterValidator(_check_processor),
    Allowed("an instance type such as ml.m5.xlarge, of a family that is not retired, and not Graviton"),
]
# `JobSettings` knows what kind of job it is for.
JobInstanceType = _InstanceType
EndpointInstanceType = Annotated[_InstanceType, AfterValidator(partial(check_offered, use=Use.ENDPOINT))]
NotebookInstanceType = Annotated[_InstanceType, AfterValidator(partial(check_offered, use=Use.NOTEBOOK))]
TransformInstanceType = Annotated[_InstanceType, AfterValidator(partial(check_offered, use=Use.TRANSFORM))]
