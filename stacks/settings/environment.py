"""The settings of one environment: read from the CDK context once, checked whole, then passed down."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Self

from pydantic import ValidationError, model_validator

from headrace import contract
from headrace.recipes import list_recipes
from stacks.settings.bundle_target import BundleTarget
from stacks.settings.contradictions import list_contradictions
from stacks.settings.mistakes import SettingsError, describe
from stacks.settings.sections import Sections
from stacks.settings.workload_sections import WorkloadSections

if TYPE_CHECKING:
    # It starts jsii, which commands that only read a setting would wait for.
    from constructs import Node

ENVIRONMENT_KEY = "env"
ENVIRONMENTS_KEY = "environments"
ENVIRONMENT_FIELD = "environment"
_COMMIT = r"[A-Za-z0-9._/+-]{1,128}"


class Settings(Sections):
    """Everything that may differ between environments; what most share is a default."""

    @model_validator(mode="after")
    def _check_contradictions(self) -> Self:
        if mistakes := list(list_contradictions(self)):
            raise ValueError("\n".join(mistakes))
        return self

    @classmethod
    def from_context(cls, node: "Node") -> Self:
        """The settings of the environment that `-c env=NAME` chooses.

        Raises:
            SettingsError: Naming every key that is wrong, what was found and what is allowed.
        """
        return cls.from_mapping(
            node.try_get_context(ENVIRONMENT_KEY), node.try_get_context(ENVIRONMENTS_KEY), also=read_also(node)
        )

    @classmethod
    def from_mapping(cls, environment: object, environments: object, *, also: Sequence[str] = ()) -> Self:
        """The settings of one environment out of the context's `environments` object.

        Args:
            environment: Which.
            environments: All of them.
            also: The workloads that are there with every default where the settings have none.
        """
        if taken := sorted(WorkloadSections.model_fields.keys() & Sections.__annotations__.keys()):
            raise SettingsError(
                f"recipe {taken[0]}: '{taken[0]}' is a setting of every environment; choose another name"
            )
        if not isinstance(environments, Mapping):
            raise SettingsError(f"context '{ENVIRONMENTS_KEY}': expected an object per environment, see cdk.json")
        if not isinstance(environment, str) or environment not in environments:
            known = ", ".join(sorted(environments))
            raise SettingsError(f"context '{ENVIRONMENT_KEY}': found {environment!r}, allowed: {known}")
        values = environments[environment]
        if not isinstance(values, Mapping):
            raise SettingsError(f"{ENVIRONMENTS_KEY}.{environment}: expected an object, found {values!r}")
        if ENVIRONMENT_FIELD in values:
            raise SettingsError(
                f"{ENVIRONMENTS_KEY}.{environment}.{ENVIRONMENT_FIELD}: unknown key; an environment is called "
                f"as the key it stands under, here '{environment}'"
            )
        missing: dict[str, object] = {name: {} for name in also if values.get(name) is None}
        given = {ENVIRONMENT_FIELD: environment, **values, **missing}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            prefix = f"{ENVIRONMENTS_KEY}.{environment}"
            raise SettingsError(describe(error, prefix=prefix, model=cls, given=given)) from None


def read_also(node: "Node") -> list[str]:
    """The workloads that are there for once, with every default where the settings have none.

    Raises:
        SettingsError: If there is no such workload.
    """
    names = list(filter(None, str(node.try_get_context(contract.ALSO_CONTEXT) or "").split(",")))
    known = [recipe.name for recipe in list_recipes()]
    if unknown := sorted(set(names) - set(known)):
        raise SettingsError(
            f"context '{contract.ALSO_CONTEXT}': found {unknown[0]!r}, allowed: {', '.join(known)}, separated by commas"
        )
    return names


def read_bundle_target(node: "Node") -> BundleTarget:
    """Where Lambda functions are to run; the local cloud asks for this machine.

    Raises:
        SettingsError: If there is no such place.
    """
    target = node.try_get_context(contract.BUNDLE_TARGET_CONTEXT) or BundleTarget.GRAVITON
    if target not in set(BundleTarget):
        allowed = ", ".join(BundleTarget)
        raise SettingsError(f"context '{contract.BUNDLE_TARGET_CONTEXT}': found {target!r}, allowed: {allowed}")
    return BundleTarget(target)


def read_commit(node: "Node") -> str:
    """The commit that the app is synthesized from, as who deploys says; nothing if they do not.

    Raises:
        SettingsError: If it could not stand in the metadata of a version.
    """
    commit = node.try_get_context(contract.COMMIT_CONTEXT)
    if commit in (None, ""):
        return ""
    if not isinstance(commit, str) or not re.fullmatch(_COMMIT, commit):
        raise SettingsError(
            f"context '{contract.COMMIT_CONTEXT}': found {commit!r}, allowed: up to 128 letters, digits and . _ / + -"
        )
    return commit
