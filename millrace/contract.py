"""Names that the infrastructure gives and the library reads; standard library only."""

from enum import StrEnum
from typing import Final


class Container(StrEnum):
    """The three containers, named as their folders under `containers/`."""

    PREPROCESSING = "preprocessing"
    TRAINING = "training"
    INFERENCE = "inference"

    @property
    def image_output(self) -> str:
        """The stack output that holds this container's image URI, tag included."""
        return f"{self.value.capitalize()}ImageUri"


RAW_BUCKET_OUTPUT: Final = "RawBucketName"
WORK_BUCKET_OUTPUT: Final = "WorkBucketName"
STATE_MACHINE_OUTPUT: Final = "StateMachineArn"

# Where the pipeline looks for raw rows in the raw bucket, and where each execution writes in the work bucket.
RAW_PREFIX: Final = "bigmart/"
EXECUTIONS_PREFIX: Final = "executions/"

# The keys of an execution's input; each may be left out.
JOB_NAME_INPUT: Final = "JobName"
MODEL_NAME_INPUT: Final = "ModelName"
ENDPOINT_NAME_INPUT: Final = "EndpointName"


def stack_name(environment: str, stack: str) -> str:
    """The name in CloudFormation of one stack of an environment."""
    return f"millrace-{environment}-{stack.lower()}"
