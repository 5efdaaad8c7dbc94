"""Map states: the same states for each of many items, in the execution itself or in executions of their own.

https://docs.aws.amazon.com/step-functions/latest/dg/state-map.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stacks.pipeline.asl import Catch, Retry, State, Way, check_states, jsonata
from stacks.pipeline.permission import Permission


@dataclass(frozen=True, kw_only=True)
class Map:
    """Runs states for each item, so many at a time, in the execution itself: they may read its variables.

    Args:
        items: JSONata for the array of items.
        states: What is run; the first of them is where it starts.
        selector: The input of each item's states.
        concurrency: How many items at a time.
        next: The state after all of them.
        catch: Where it goes when an item fails.
        assign: What is assigned then.
        retry: When it is tried again as a whole.
        permissions: What it must be allowed besides its states.
    """

    states: Mapping[str, State]
    concurrency: int
    next: str
    catch: tuple[Catch, ...]
    items: str = ""
    selector: Mapping[str, Any] = field(default_factory=dict)
    assign: Mapping[str, Any] = field(default_factory=dict)
    retry: tuple[Retry, ...] = ()
    permissions: tuple[Permission, ...] = ()

    @property
    def start_at(self) -> str:
        """The first of its states."""
        return next(iter(self.states))

    @property
    def reads_outside(self) -> bool:
        """Whether its states may read the variables of the execution."""
        return True

    def render(self) -> dict[str, Any]:
        """The state's JSON."""
        check_states(self.states, self.start_at)
        return {**self.render_itself(), "ItemProcessor": self.render_processor()}

    def render_itself(self) -> dict[str, Any]:
        """The same without the states that are run."""
        fields: dict[str, Any] = {
            "Items": jsonata(self.items) if self.items else None,
            "ItemSelector": dict(self.selector),
            "Assign": dict(self.assign),
            "Retry": [retry.render() for retry in self.retry],
            "Catch": [catch.render() for catch in self.catch],
        }
        given = {name: value for name, value in fields.items() if value}
        return {"Type": "Map", "MaxConcurrency": self.concurrency, **given, "Next": self.next}

    def render_processor(self) -> dict[str, Any]:
        """What is run for each item."""
        return {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": self.start_at,
            "States": {name: state.render() for name, state in self.states.items()},
        }

    def ways(self) -> Iterator[Way]:
        """The next state and every catcher's."""
        yield Way(self.next, self.assign)
        yield from (Way(catch.next, catch.assign) for catch in self.catch)


@dataclass(frozen=True, kw_only=True)
class DistributedMap(Map):
    """Runs states for each item in its own execution, whose failure does not end the others.

    Items are read from an object of S3, and what the executions end with is written to S3: a state carries neither of
    a large set.

    Args:
        reader: The bucket and the key of a JSON array of items.
        writer: The bucket and the prefix of the results.
        label: What its executions are called.
    """

    reader: Mapping[str, str]
    writer: Mapping[str, str]
    label: str

    @property
    def reads_outside(self) -> bool:
        """Executions of their own have variables of their own."""
        return False

    def render_itself(self) -> dict[str, Any]:
        """The state's JSON without the states that are run."""
        return {
            **super().render_itself(),
            "Label": self.label,
            "ToleratedFailurePercentage": 100,
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {"InputType": "JSON"},
                "Arguments": dict(self.reader),
            },
            "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Arguments": dict(self.writer)},
        }

    def render_processor(self) -> dict[str, Any]:
        """What is run for each item."""
        return {**super().render_processor(), "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
