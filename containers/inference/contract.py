"""Names of the inference container's contract: environment, files, paths, media types and limits."""

ML_ROOT_VARIABLE = "MILLRACE_ML_ROOT"
ML_ROOT = "/opt/ml"
SERVE_COMMAND = "serve"

# SageMaker's own variable for containers that share an instance.
PORT_VARIABLE = "SAGEMAKER_BIND_TO_PORT"
DEFAULT_PORT = 8080
HOST_VARIABLE = "MILLRACE_BIND_HOST"
DEFAULT_HOST = "0.0.0.0"  # noqa: S104 - SageMaker calls the container from outside of it
# One worker per CPU unless this says otherwise.
WORKERS_VARIABLE = "MILLRACE_SERVE_WORKERS"
# What is written about requests that went well: a line for every one, or a summary every few seconds.
ACCESS_LOG_VARIABLE = "MILLRACE_ACCESS_LOG"
ACCESS_LOG_EVERY = "every"
ACCESS_LOG_SUMMARY = "summary"

# Relative to the root, which is /opt/ml in the container.
MODEL_FOLDER = "model"
MODEL_FILE = "model.onnx"
ENCODING_FILE = "encoding.json"

# Properties inside the model file, by which the endpoint knows its own.
MODEL_FORMAT_PROPERTY = "format"
MODEL_FORMAT = "millrace-forest-1"
ENCODING_DIGEST_PROPERTY = "encoding_sha256"

PING_PATH = "/ping"
INVOCATIONS_PATH = "/invocations"
EXECUTION_PARAMETERS_PATH = "/execution-parameters"

CSV = "text/csv"
JSON = "application/json"
JSON_LINES = "application/jsonlines"
JSON_LINES_ALIAS = "application/x-jsonlines"
# The content-type parameter that says whether a CSV body starts with a header.
HEADER_PARAMETER = "header"
HEADER_PRESENT = "present"
HEADER_ABSENT = "absent"

# What InvokeEndpoint passes on at most.
MAX_BODY_BYTES = 6 * 1024 * 1024
MAX_PAYLOAD_MB = 6
# A few seconds of work; 6 MiB of empty cells would be half a million rows.
MAX_ROWS = 100_000

USER_ERROR_EXIT = 1
