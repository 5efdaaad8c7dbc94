"""Name a set of normalized images, and refuse an input that its job would refuse later."""

from collections.abc import Mapping
from typing import Final

from aws_cdk import aws_s3 as s3

from headrace.normalizer import contract
from headrace.normalizer.contract import BulkInput
from stacks.pipeline import bulk_input, names, quota
from stacks.pipeline.asl import Pass, State, jsonata
from stacks.pipeline.step import Step

_CHECK: Final = "Check Input"


def name_set(work: s3.IBucket) -> Step:
    """Take the set's name from the execution's input; `$destination` is where its normalized images go."""
    sets = f"s3://{work.bucket_name}/{contract.SETS_PREFIX}"
    read = Pass(
        assign={
            "request": jsonata("$states.input"),
            "job_name": jsonata(names.name_from_execution()),
            "execution": jsonata(names.name_from_execution()),
            "destination": jsonata(f"'{sets}' & $states.input.{BulkInput.NAME} & '/'"),
            **quota.VARIABLES,
        },
        next=_CHECK,
    )

    def states(after: str) -> Mapping[str, State]:
        return {"Read Input": read, _CHECK: bulk_input.check_input(next_state=after)}

    return states
