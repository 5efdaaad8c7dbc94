"""What is known of a built-in algorithm; standard library only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.algorithms.hyperparameters import Hyperparameter, list_mistakes
from headrace.errors import HeadraceError


class BuiltInAlgorithmError(HeadraceError):
    """An algorithm that cannot be used as it was asked for."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version of an algorithm's container image.

    Args:
        name: Its tag.
        modes: The input modes that it knows.
        refused: Why it should not be used; empty for one that may be.
        gpu_families: The families of instances whose GPUs it uses where it is told to, such as `g5`.
    """

    name: str
    modes: tuple[str, ...] = ()
    refused: str = ""
    gpu_families: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Algorithm:
    """A built-in algorithm.

    Args:
        name: Its name here.
        title: What people call it.
        sources: Where each of these facts was read, and when.
        repository: The repository of its container images, the same in every Region.
        accounts: The account that the repository is in, by Region.
        versions: The versions that there are, by name.
        default_version: The one to use.
        content_types: What its channels may bring.
        requests: What its endpoint reads.
        answers: What its endpoint writes.
        metrics: The regular expression of each metric that SageMaker reads from its log, by the metric's name.
        hyperparameters: Those that it takes, by name.
        is_distributed: Whether several instances train one model.
        training_families: The only families of instances that it trains on, such as `g5`; empty where all will do.
        gpu_values: Values of hyperparameters that tell it to use GPUs, by the hyperparameter's name.
    """

    name: str
    title: str
    sources: Mapping[str, str]
    repository: str
    accounts: Mapping[str, str]
    versions: Mapping[str, Version]
    default_version: str
    content_types: list[str]
    requests: list[str]
    answers: list[str]
    metrics: Mapping[str, str]
    hyperparameters: Mapping[str, Hyperparameter] = field(repr=False)
    is_distributed: bool = False
    training_families: list[str] = field(default_factory=list)
    gpu_values: Mapping[str, list[str]] = field(default_factory=dict)

    def find_version(self, name: str) -> Version:
        """A version that may be used.

        Raises:
            BuiltInAlgorithmError: If there is none of the name, or it should not be used.
        """
        usable = [version.name for version in self.versions.values() if not version.refused]
        version = self.versions.get(name)
        if version is None:
            hint = ", which would change under a model" if name == "latest" else ""
            raise BuiltInAlgorithmError(
                f"{self.title} has no version '{name}'{hint}; choose one of {', '.join(usable)}"
            )
        if version.refused:
            raise BuiltInAlgorithmError(f"{self.title} {name}: {version.refused}; choose one of {', '.join(usable)}")
        return version

    def check_mode(self, version: str, mode: str) -> None:
        """Refuse an input mode that a version does not have.

        Raises:
            BuiltInAlgorithmError: Naming those that have it.
        """
        if mode in self.find_version(version).modes:
            return
        others = [other.name for other in self.versions.values() if mode in other.modes]
        has = f"; {', '.join(others)} have it" if others else ""
        raise BuiltInAlgorithmError(f"{self.title} {version} has no {mode} mode{has}; use File, or another version")

    def check_instance(self, instance_type: str) -> None:
        """Refuse an instance type that it does not train on.

        Raises:
            BuiltInAlgorithmError: Naming the families that it trains on.
        """
        families = self.training_families
        if families and instance_type.split(".")[1] not in families:
            raise BuiltInAlgorithmError(
                f"{self.title} trains only on instances with GPUs of the families {', '.join(families)}, and "
                f"{instance_type} is none of them"
            )

    def check_gpus(self, version: str, hyperparameters: Mapping[str, Any], instance_type: str) -> None:
        """Refuse a version or an instance type whose GPUs the hyperparameters ask for in vain.

        Raises:
            BuiltInAlgorithmError: Naming the versions, or the families, that have them.
        """
        families = self.find_version(version).gpu_families
        for name, values in self.gpu_values.items():
            asked = str(hyperparameters.get(name))
            if asked not in values or instance_type.split(".")[1] in families:
                continue
            others = [other.name for other in self.versions.values() if other.gpu_families]
            raise BuiltInAlgorithmError(
                f"{self.title} {version} uses GPUs, which {name} {asked} asks for, only on instances of the families "
                f"{', '.join(families)}, and {instance_type} is none of them"
                if families
                else f"{self.title} {version} uses no GPUs, which {name} {asked} asks for; {', '.join(others)} do"
            )

    def list_mistakes(self, hyperparameters: Mapping[str, Any]) -> Iterator[str]:
        """What is wrong with hyperparameters, each beginning with the name of one."""
        return list_mistakes(self.title, self.hyperparameters, hyperparameters)

    def name_image(self, region: str, version: str, *, suffix: str = "amazonaws.com") -> str:
        """The URI of a container image.

        Raises:
            BuiltInAlgorithmError: If the Region has none.
        """
        if region not in self.accounts:
            raise BuiltInAlgorithmError(f"{self.title} has no container image in {region}")
        return f"{self.accounts[region]}.dkr.ecr.{region}.{suffix}/{self.repository}:{self.find_version(version).name}"
