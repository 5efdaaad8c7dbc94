"""Names of the image preprocessing container's contract: arguments, and what it leaves where."""

SOURCE_ARGUMENT = "--source"
MANIFEST_ARGUMENT = "--manifest"
DESTINATION_ARGUMENT = "--destination"
MAX_REFUSED_ARGUMENT = "--max-refused"
CONNECTIONS_ARGUMENT = "--connections"
PACKED_ARGUMENT = "--packed"
DEFAULT_CONNECTIONS = 32
MOST_CONNECTIONS = 512

# Below the destination.
NORMALIZED_PREFIX = "normalized/"
OPTIONS_FILE = "options.json"
FAILURES_FILE = "failures.jsonl"
SUMMARY_FILE = "summary.json"
NORMALIZED_MANIFEST_FILE = "normalized.manifest"
# What each of several instances reports of a run.
INSTANCES_PREFIX = "instances/"
# A packed set of the normalized images, and what each pixel file contains.
PACKED_PREFIX = "packed/"
PACKING_PREFIX = "packing/"

JSON = "application/json"
JSON_LINES = "application/x-ndjson"

# In the metadata of a normalized image: the ETag of the photograph that it was made of.
SOURCE_ETAG = "source-etag"
# In that of a packed set's files: what changes with the photographs that they are of.
PLAN = "plan"


def option_argument(option: str) -> str:
    """The argument for one of the normalizer's options."""
    return f"--{option.replace('_', '-')}"
