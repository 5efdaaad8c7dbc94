"""What an account may use at once, as Service Quotas names it, and what its Region does not offer."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Final, Self

import botocore.session

from headrace import regions
from headrace.errors import HeadraceError
from headrace.inputs import open_input
from headrace.quotas import CONCURRENT_EXECUTIONS, Usage, name_quota

NEW_ACCOUNT: Final = "new-account"
OBJECT_LAMBDA_ACCESS_POINTS: Final = "Object Lambda access points"

# What the local cloud counts instances for; notebooks are deployed there without effect.
_COUNTED: Final = tuple(usage for usage in Usage if usage is not Usage.NOTEBOOK)
_INSTANCES: Final = re.compile(rf"[a-z0-9.*-]+ for (?:{'|'.join(_COUNTED)})")
# A quota for every type of instances is a hundredth of it.
_MOST_BYTES: Final = 1 << 20
_KNOWN_NAMES: Final = (
    f"the local cloud knows '{CONCURRENT_EXECUTIONS}', '{OBJECT_LAMBDA_ACCESS_POINTS}' and, for a type such as "
    "ml.m5.large or * for all, 'TYPE for training job usage', 'TYPE for spot training job usage', "
    "'TYPE for processing job usage', 'TYPE for transform job usage' and 'TYPE for endpoint usage'"
)
# The strictest that new accounts are known to have; AWS raises each on request.
_OF_A_NEW_ACCOUNT: Final[Mapping[str, int]] = {
    **{name_quota("*", usage): 0 for usage in _COUNTED},
    CONCURRENT_EXECUTIONS: 10,
    OBJECT_LAMBDA_ACCESS_POINTS: 0,
}


class LimitsError(HeadraceError):
    """Quotas that cannot be read, or a Region that is not known."""


@dataclass(frozen=True)
class Limits:
    """What an account may use at once, and in which Region it is.

    Args:
        quotas: Numbers by the names of quotas. A `*` in a name stands for anything; what has no name has no bound.
        region: The Region that lacks something, if any.
    """

    quotas: Mapping[str, int] = field(default_factory=dict)
    region: str | None = None

    @classmethod
    def of(cls, quotas: str | None, region: str | None) -> Self:
        """The limits that a command asks for.

        Args:
            quotas: `new-account`, or the path of a JSON file.
            region: The name of a Region.

        Raises:
            LimitsError: If the file does not hold known quotas and their numbers, or there is no such Region.
        """
        if region is not None and region not in regions.list_regions():
            raise LimitsError(f"{region!r} is not a Region; there are {', '.join(regions.list_regions())}")
        if quotas is None:
            return cls(region=region)
        if not quotas:
            raise LimitsError(f"the name of the file with quotas is empty; give one, or '{NEW_ACCOUNT}'")
        return cls(dict(_OF_A_NEW_ACCOUNT) if quotas == NEW_ACCOUNT else _read_quotas(Path(quotas)), region)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The limits that were written by `write`."""
        return cls(**json.loads(text))

    def write(self) -> str:
        """The limits as text."""
        return json.dumps(asdict(self), sort_keys=True)

    def find_quota(self, name: str) -> int | None:
        """The number that a quota is, or nothing where there is no bound."""
        if name in self.quotas:
            return self.quotas[name]
        patterns = [quota for quota in self.quotas if fnmatchcase(name, quota)]
        return self.quotas[max(patterns, key=len)] if patterns else None

    def lacks_instances(self, instance_type: str) -> bool:
        """Whether the Region has no instances of a type such as ml.g5.xlarge."""
        return self.region is not None and regions.lacks_instance_type(self.region, instance_type)


def _read_quotas(file: Path) -> dict[str, int]:
    stored = _read_json(file)
    if not isinstance(stored, dict):
        raise LimitsError(f'the quotas in {file} are not an object such as {{"{CONCURRENT_EXECUTIONS}": 10}}')
    for name, number in stored.items():
        if name not in (CONCURRENT_EXECUTIONS, OBJECT_LAMBDA_ACCESS_POINTS) and not _INSTANCES.fullmatch(name):
            raise LimitsError(f"the quota '{name}' in {file} is not known: {_KNOWN_NAMES}")
        if " for " in name and not any(fnmatchcase(kind, name.split()[0]) for kind in list_instance_types()):
            raise LimitsError(f"the quota '{name}' in {file} names no instance type of SageMaker's")
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise LimitsError(f"the quota '{name}' in {file} is {number!r}, not a whole number from 0 on")
        if name == OBJECT_LAMBDA_ACCESS_POINTS and number:
            raise LimitsError(f"the quota '{name}' in {file} is {number}; only 0, for a new account, is enforced")
    return stored


def _read_json(file: Path) -> object:
    try:
        with open_input(file) as opened:
            return json.loads(opened.read(_MOST_BYTES), object_pairs_hook=_refuse_repeated)
    except OSError as error:
        raise LimitsError(f"the quotas in {file} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise LimitsError(f"the quotas in {file} cannot be read: {error}") from None
    except RecursionError:
        raise LimitsError(f"the quotas in {file} cannot be read: they are nested too deeply") from None


def _refuse_repeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in pairs]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"'{repeated[0]}' occurs twice; remove one")
    return dict(pairs)


@cache
def list_instance_types() -> frozenset[str]:
    """Every type of instances that SageMaker has for one use or another."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    shapes = ("TrainingInstanceType", "ProcessingInstanceType", "ProductionVariantInstanceType")
    return frozenset(kind for shape in shapes for kind in model.shape_for(shape).enum)
