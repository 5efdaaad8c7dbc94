"""The options by which commands name a state machine, and what these lead to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import click

from headrace.cli.region import read_region, use_region
from headrace.contract import model_package_group_name
from headrace.recipes import Recipe, big_mart, find_recipe, list_recipes

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Target:
    """What the options say.

    Args:
        environment: The environment, if one was named.
        workload: The workload, if one was named.
        region: Where to look.
        is_local: Whether on the local cloud that runs, wherever AWS clients lead.
        state_machine: The name or ARN of a state machine, if one was named.
    """

    environment: str | None
    workload: str | None
    region: str | None
    is_local: bool
    state_machine: str | None = None

    @property
    def is_named(self) -> bool:
        """Whether the options name a state machine, instead of leaving it to what is usual."""
        return any((self.environment, self.workload, self.state_machine))

    @property
    def environment_name(self) -> str:
        """The environment, the usual one if none was named."""
        return self.environment or "dev"

    @property
    def recipe(self) -> Recipe:
        """The workload's recipe, the usual one if none was named."""
        return find_recipe(self.workload or big_mart.RECIPE.name)

    @property
    def name(self) -> str:
        """What the state machine is called in a synthesized app."""
        return self.state_machine or self.recipe.stack_id

    @property
    def group(self) -> str:
        """The model package group of the workload."""
        return model_package_group_name(self.environment_name, self.recipe.name)

    @property
    def place(self) -> list[str]:
        """The options that lead another command to the same place."""
        return [*(["--region", self.region] if self.region else []), *(["--local"] if self.is_local else [])]

    def find_machine(self) -> str:
        """The ARN of the state machine.

        Raises:
            NoStateMachineError: If there is none.
        """
        from headrace.pipeline.machines import find_machine, find_named_machine

        self.use_clients()
        if self.state_machine:
            return find_named_machine(self.state_machine)
        return find_machine(self.environment_name, self.recipe)

    def find_start(self) -> str:
        """The ARN that executions are started by: the alias of the state machine, unless another ARN is named.

        Raises:
            NoStateMachineError: If there is none.
        """
        from headrace.pipeline.machines import find_live_alias, find_named_start

        self.use_clients()
        if self.state_machine:
            return find_named_start(self.state_machine)
        return find_live_alias(self.environment_name, self.recipe)

    def find_execution(self, execution: str) -> str:
        """The ARN of an execution; one that was given by its ARN may be of any machine, unless the options name one.

        Raises:
            NoStateMachineError: If there is no such state machine.
            OtherMachineError: If the execution is another one's.
        """
        from headrace.pipeline.machines import locate_execution

        self.use_clients()
        is_arn = execution.startswith("arn:")
        return locate_execution(execution, self.find_machine() if self.is_named or not is_arn else None)

    def use_clients(self) -> None:
        """Lead the AWS clients of this process to where the options say.

        Raises:
            CloudError: If the local cloud is meant and none is running.
        """
        if self.is_local:
            from headrace.local.platform.running import Folders, use_running_cloud

            use_running_cloud(Folders())
        else:
            use_region(self.region or read_region(self.environment_name))


_ENVIRONMENT: Final = click.option("--env", "environment", help="The environment.  [default: dev]")
_WORKLOAD: Final = click.option(
    "--workload",
    type=click.Choice([recipe.name for recipe in list_recipes()]),
    help=f"The workload that it is about.  [default: {big_mart.RECIPE}]",
)
_STATE_MACHINE: Final = click.option(
    "--state-machine",
    help="Another state machine, by its name or ARN; in a synthesized app, by its stack's id.",
)
_REGION: Final = click.option(
    "--region", help="Where: by default the Region of the settings, or else of your AWS clients."
)
_LOCAL: Final = click.option(
    "--local", "is_local", is_flag=True, help="On the local cloud, wherever your AWS clients lead."
)


def with_target(command: Command) -> Command:
    """Give a command the options of a `Target`."""
    return _add(command, _ENVIRONMENT, _WORKLOAD, _STATE_MACHINE, _REGION, _LOCAL)


def with_workload(command: Command) -> Command:
    """Give a command the options of a `Target` that is a workload's, whatever its state machine."""
    return _add(command, _ENVIRONMENT, _WORKLOAD, _REGION, _LOCAL)


def _add(command: Command, *options: Callable[[Command], Command]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
