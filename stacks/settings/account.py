"""The settings of what an account has once in a Region, whichever environments are in it."""

import re
from collections.abc import Mapping
from typing import Annotated, Self

from constructs import Node
from pydantic import AfterValidator, Field, ValidationError

from stacks.settings.mistakes import SettingsError, describe, refuse_repeated
from stacks.settings.section import IN_PLACE, NOTHING, Allowed, Change, LogDays, Section, Setting
from stacks.settings.tags import Tags

ACCOUNT_KEY = "account"


def _check_endpoints(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", name):
            raise ValueError(f"'{name}' is not the name of an endpoint")
    refuse_repeated(names)
    return names


class LogSettings(Section):
    """SageMaker's log groups. Every job, endpoint and notebook of the account writes to them, under any user."""

    retention_days: Annotated[
        LogDays,
        Setting(
            "how long what jobs, endpoints and notebooks print is kept",
            cost="0.50 per GB written, 0.03 per GB and month kept",
            change=Change("updated in place; what is older goes within days"),
        ),
    ] = 30
    customer_key: Annotated[
        bool,
        Setting(
            "whether a key of yours, rotated every year, encrypts them",
            cost="1 a month, and 0.03 per 10,000 requests",
            change=Change(
                "encrypts what is written from then on; off leaves the key, and its cost, because what it has "
                "encrypted cannot be read without it",
                loses=("AWS::KMS::Key",),
            ),
        ),
    ] = False
    endpoints: Annotated[
        tuple[str, ...],
        Field(strict=False),
        AfterValidator(_check_endpoints),
        Allowed("such as `headrace-prod-bigmart`"),
        Setting(
            "the endpoints whose log groups are kept like the others; SageMaker makes one for each endpoint",
            cost=NOTHING,
            change=Change(
                "a group that is left out stays as it is; to take it back, import it",
                loses=("AWS::Logs::LogGroup",),
            ),
        ),
    ] = ()


class AccountSettings(Section):
    """What an account has once in a Region; `cdk.json` has it beside the environments, as `account`."""

    tags: Annotated[
        Tags,
        Setting("the tags of everything that can have them", cost=NOTHING, change=IN_PLACE),
    ] = Field(default={"project": "headrace"})
    logs: LogSettings = LogSettings()
    api_gateway_logs: Annotated[
        bool,
        Setting(
            "whether API Gateway gets the role by which it writes the logs of any API of the account, as those of "
            "`front_door` need; not where the account has given it one already",
            cost=NOTHING,
            change=Change("on replaces the role that the account has given it; off leaves that of this stack"),
        ),
    ] = False

    @classmethod
    def from_context(cls, node: Node) -> Self:
        """The settings of the account.

        Raises:
            SettingsError: Naming every key that is wrong, what was found and what is allowed.
        """
        values = node.try_get_context(ACCOUNT_KEY) or {}
        if not isinstance(values, Mapping):
            raise SettingsError(f"context '{ACCOUNT_KEY}': expected an object, found {values!r}")
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise SettingsError(describe(error, prefix=ACCOUNT_KEY, model=cls, given=values)) from None
