"""Names that the infrastructure gives and the function reads and answers; standard library only."""

from enum import StrEnum
from typing import Final

FUNCTION_HANDLER: Final = "registrar.handler.handle"
MEMORY_MIB: Final = 512
TIMEOUT_SECONDS: Final = 600


class Variable(StrEnum):
    """The function's environment variables: a bucket, and the prefix of the workload's executions in it."""

    BUCKET = "WORK_BUCKET"
    PREFIX = "EXECUTIONS_PREFIX"


class Request(StrEnum):
    """What the state machine asks.

    The execution by its name, the training job's model by its address, and the container images of the workload, each
    URI by its name.
    """

    EXECUTION = "Execution"
    MODEL_DATA = "ModelDataUrl"
    IMAGES = "Images"


class Answer(StrEnum):
    """What the function answers.

    The fingerprint of the model's data, the prefix in S3 of the record, and the container images, as in
    `training@sha256:… inference@sha256:…`.
    """

    FINGERPRINT = "Fingerprint"
    RECORD = "Record"
    IMAGES = "Images"
