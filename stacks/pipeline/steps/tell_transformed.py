"""Tell where the answers to a batch are, and end."""

from collections.abc import Mapping

from headrace import contract
from stacks.pipeline.asl import Finish, State, jsonata
from stacks.pipeline.step import Step


def tell_transformed(_after: str) -> Mapping[str, State]:
    """End with what was made, and where the answers of `$transform_job` are."""
    return {
        "Transformed": Finish(
            output={
                contract.OUTCOME_OUTPUT: contract.Outcome.TRANSFORMED,
                contract.JOB_NAME_INPUT: jsonata("$job_name"),
                contract.MODEL_NAME_INPUT: jsonata("$model"),
                contract.MODEL_PACKAGE_ARN_INPUT: jsonata("$package"),
                "TransformJobName": jsonata("$transform_job"),
                contract.TRANSFORMED_OUTPUT: jsonata("$transformed"),
                "ModelDataUrl": jsonata("$model_data"),
                "Metrics": jsonata("$metrics"),
                contract.RULES_OUTPUT: jsonata("$judged"),
                contract.NOT_NOTED_OUTPUT: jsonata("$not_noted"),
            }
        )
    }


# For type checkers: it is a step.
_: Step = tell_transformed
