"""Names that the infrastructure gives and the library reads; standard library only."""

from enum import StrEnum
from typing import Final


class Container(StrEnum):
    """The containers, named as their folders under `containers/`."""

    PREPROCESSING = "preprocessing"
    TRAINING = "training"
    INFERENCE = "inference"
    IMAGE_TRAINING = "image_training"
    IMAGE_INFERENCE = "image_inference"
    IMAGE_PREPROCESSING = "image_preprocessing"

    @property
    def pascal_name(self) -> str:
        """The name as it stands in construct ids and outputs."""
        return "".join(word.capitalize() for word in self.value.split("_"))

    @property
    def image_output(self) -> str:
        """The stack output that holds this container's image URI, tag included."""
        return f"{self.pascal_name}ImageUri"


class Workload(StrEnum):
    """What the platform trains: each has a state machine of its own."""

    BIG_MART = "bigmart"
    IMAGES = "images"

    @property
    def state_machine_output(self) -> str:
        """The stack output that holds this workload's state machine."""
        return f"{self.name.title().replace('_', '')}StateMachineArn"

    @property
    def endpoint_name_output(self) -> str:
        """The stack output that holds the name of the endpoint that executions create or update."""
        return f"{self.name.title().replace('_', '')}EndpointName"

    @property
    def raw_prefix(self) -> str:
        """Where its raw data is in the raw bucket."""
        return f"{self.value}/"


RAW_BUCKET_OUTPUT: Final = "RawBucketName"
WORK_BUCKET_OUTPUT: Final = "WorkBucketName"
EFS_OUTPUT: Final = "EfsFileSystemId"
FSX_OUTPUT: Final = "FsxFileSystemId"

# The context that says where Lambda functions are to run: "graviton", or "host" for the local cloud.
BUNDLE_TARGET_CONTEXT: Final = "bundle_target"

# Where each execution writes in the work bucket.
EXECUTIONS_PREFIX: Final = "executions/"

# Where the whole raw bucket appears on the FSx for Lustre file system.
FSX_RAW_PATH: Final = "/raw"

# The keys of an execution's input; each may be left out.
JOB_NAME_INPUT: Final = "JobName"
MODEL_NAME_INPUT: Final = "ModelName"
ENDPOINT_NAME_INPUT: Final = "EndpointName"


def default_endpoint_name(environment: str, workload: Workload) -> str:
    """The endpoint of a workload where the settings name none; two environments may share an account."""
    return f"headrace-{environment}-{workload}"


def stack_name(environment: str, stack: str) -> str:
    """The name in CloudFormation of one stack of an environment."""
    return f"headrace-{environment}-{stack.lower()}"
