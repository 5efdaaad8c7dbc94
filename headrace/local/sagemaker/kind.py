"""What the control plane knows of a kind of resource, and what all kinds with names share."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from headrace.local.sagemaker.catalog import Catalog, Resource, list_page
from headrace.local.sagemaker.errors import RequestRefusedError, SageMakerError
from headrace.local.sagemaker.host import Host

Handler = Callable[[Mapping[str, Any]], dict[str, Any]]

CLOSED_AT_ONCE = 8


@dataclass(frozen=True)
class KindLog:
    """Where the resources of a kind log.

    Args:
        word: What commands call it.
        group: The log group, or what its name begins with where each resource has its own.
        is_of_each: Whether each has.
    """

    word: str
    group: str
    is_of_each: bool = False


class Kind(ABC):
    """One kind of resource: the operations on it, and all that the control plane does with it.

    Args:
        host: The machine.
        kinds: All kinds of the same control plane, complete by the first request.
    """

    name: ClassVar[str]
    """What operations call it: the X of CreateX."""

    def __init__(self, host: Host, kinds: "Kinds") -> None:
        self._host = host
        self._kinds = kinds

    @property
    @abstractmethod
    def operations(self) -> Mapping[str, Handler]:
        """Its operations of the control plane's API."""

    @property
    def runtime_operations(self) -> Mapping[str, Handler]:
        """Its operations of the runtime API, which are served while the control plane closes, too."""
        return {}

    def resources(self) -> Iterable[Resource]:
        """Those that there are."""
        return ()

    def wait(self, name: str) -> dict[str, Any]:
        """What Describe answers once nothing is being done to the resource of a name."""
        raise RequestRefusedError(f"There is nothing to wait for in {self.name} {name}.")

    def close(self) -> None:
        """Ends whatever runs."""
        run_side_by_side(resource.close for resource in self.resources())


K = TypeVar("K", bound=Kind)


class Kinds:
    """The kinds of one control plane."""

    def __init__(self, host: Host, kinds: Iterable[type[Kind]]) -> None:
        self._kinds = {kind.name: kind(host, self) for kind in kinds}

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._kinds.values())

    def __getitem__(self, name: str) -> Kind:
        return self._kinds[name]

    def find(self, kind: type[K]) -> K:
        """The one of a class."""
        return next(found for found in self if isinstance(found, kind))


R = TypeVar("R", bound=Resource)


class ResourceKind(Kind, Generic[R]):
    """A kind whose resources have names: they are created, described and listed, and waited for."""

    noun: ClassVar[str]
    """What messages call it; without it, the words of the name."""
    listed_as: ClassVar[str]
    """Under which key List answers; without it, the name and `listed_ending`."""
    listed_ending: ClassVar[str] = "s"
    is_listed_newest_first: ClassVar[bool] = True
    log: ClassVar[KindLog | None] = None

    def __init_subclass__(cls) -> None:
        """What a kind does not say of itself follows from its name."""
        super().__init_subclass__()
        if "name" in vars(cls):
            own = vars(cls)
            cls.noun = own.get("noun", re.sub(r"(?<!^)(?=[A-Z])", " ", cls.name).lower())
            cls.listed_as = own.get("listed_as", cls.name + cls.listed_ending)

    def __init__(self, host: Host, kinds: Kinds) -> None:
        super().__init__(host, kinds)
        self._catalog: Catalog[R] = Catalog()

    @classmethod
    def locate_log(cls, name: str) -> tuple[str, str]:
        """The log group of a resource, and what the names of its streams begin with."""
        if not cls.log:
            raise ValueError(f"{cls.name} does not log")
        return (f"{cls.log.group}/{name}", "") if cls.log.is_of_each else (cls.log.group, f"{name}/")

    @property
    def operations(self) -> Mapping[str, Handler]:
        """Create, Describe and List."""
        return {
            f"Create{self.name}": self.create,
            f"Describe{self.name}": self.describe,
            f"List{self.name}s": self.list_page,
        }

    @abstractmethod
    def make(self, request: Mapping[str, Any]) -> R:
        """The resource that a request asks for, checked but not at work yet."""

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Create: returns while the resource may still be at work."""
        resource = self.make(request)
        self.check_start(resource)
        if self._catalog.add(resource):
            raise self.describe_taken(resource)
        resource.start()
        return {f"{self.name}Arn": resource.arn}

    def check_start(self, resource: R) -> None:
        """Raises SageMaker's refusal where a new resource asks for what the account or its network does not have."""

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Describe."""
        return self.find_requested(request).describe()

    def list_page(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """List."""
        return list_page(self._catalog, request, key=self.listed_as, descending_by_default=self.is_listed_newest_first)

    def find(self, name: str) -> R:
        """The resource of a name, or SageMaker's refusal."""
        resource = self._catalog.find(name)
        if not resource:
            raise self.describe_missing(name)
        return resource

    def find_requested(self, request: Mapping[str, Any]) -> R:
        """The resource that a request names, or SageMaker's refusal."""
        return self.find(request[f"{self.name}Name"])

    def resources(self) -> Iterable[R]:
        """Those that there are."""
        return self._catalog

    def wait(self, name: str) -> dict[str, Any]:
        """What Describe answers once nothing is being done to the resource of a name."""
        self.find(name).wait()
        return self.describe({f"{self.name}Name": name})

    def describe_taken(self, resource: R) -> SageMakerError:
        """What SageMaker answers when the name of a new resource is taken."""
        return RequestRefusedError(f'Cannot create already existing {self.noun} "{resource.arn}".')

    def describe_missing(self, name: str) -> SageMakerError:
        """What SageMaker answers when nothing has a name."""
        return RequestRefusedError(f'Could not find {self.noun} "{self._host.arn(self.name, name)}".')


def run_side_by_side(works: Iterable[Callable[[], None]]) -> None:
    """Runs works at the same time, as far as that is sensible, and raises what one of them raises."""
    with ThreadPoolExecutor(max_workers=CLOSED_AT_ONCE, thread_name_prefix="closing") as pool:
        for running in [pool.submit(work) for work in works]:
            running.result()
