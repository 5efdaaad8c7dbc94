"""Names of the image inference container's contract: environment, files, paths, media types and limits."""

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

# Relative to the root, which is /opt/ml in the container.
MODEL_FOLDER = "model"
CLASSIFIER_FILE = "classifier.json"
WEIGHTS_FILE = "weights.npz"

# What the classifier's file says of itself, by which the endpoint knows its own.
CLASSIFIER_FORMAT = "millrace-image-classifier"
CLASSIFIER_VERSION = 1

PING_PATH = "/ping"
INVOCATIONS_PATH = "/invocations"
EXECUTION_PARAMETERS_PATH = "/execution-parameters"

IMAGE = "application/x-image"
JPEG = "image/jpeg"
PNG = "image/png"
JSON = "application/json"

# How many classes an answer names; it gives the probability of all.
NAMED_PREDICTIONS = 5

# What InvokeEndpoint passes on at most.
MAX_BODY_BYTES = 6 * 1024 * 1024
MAX_PAYLOAD_MB = 6

USER_ERROR_EXIT = 1
