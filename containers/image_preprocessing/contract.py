"""Names of the image preprocessing container's contract: environment, arguments, and what it leaves where."""

ML_ROOT_VARIABLE = "MILLRACE_ML_ROOT"
ML_ROOT = "/opt/ml"

SOURCE_ARGUMENT = "--source"
MANIFEST_ARGUMENT = "--manifest"
DESTINATION_ARGUMENT = "--destination"
MAX_REFUSED_ARGUMENT = "--max-refused"
CONNECTIONS_ARGUMENT = "--connections"
DEFAULT_CONNECTIONS = 32
MOST_CONNECTIONS = 512

# Below the destination.
PICTURES_PREFIX = "pictures/"
OPTIONS_FILE = "options.json"
FAILURES_FILE = "failures.jsonl"
SUMMARY_FILE = "summary.json"
NORMALIZED_MANIFEST_FILE = "normalized.manifest"

# In the metadata of a picture: the ETag of the image that it was made of.
SOURCE_ETAG = "source-etag"

# Relative to the root, which is /opt/ml in the container.
FAILURE_FILE = "output/failure"
# SageMaker reports this file as the processing job's ExitMessage.
MESSAGE_FILE = "output/message"

# SageMaker shows the first 1,024 characters of a failure.
MAX_FAILURE_CHARACTERS = 1024
USER_ERROR_EXIT = 1
INTERNAL_ERROR_EXIT = 2
STOPPED_EXIT = 143


def option_argument(option: str) -> str:
    """The argument for one of the normalizer's options."""
    return f"--{option.replace('_', '-')}"
