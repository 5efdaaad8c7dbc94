"""Names of SageMaker's contract with its containers; standard library only."""

import os
from collections.abc import Mapping
from pathlib import Path

ML_ROOT_VARIABLE = "HEADRACE_ML_ROOT"
ML_ROOT = "/opt/ml"

TRAIN_COMMAND = "train"
SERVE_COMMAND = "serve"

# Relative to the root, which is /opt/ml in the container.
HYPERPARAMETERS_FILE = "input/config/hyperparameters.json"
CHANNELS_FILE = "input/config/inputdataconfig.json"
RESOURCES_FILE = "input/config/resourceconfig.json"
# Of a processing job.
PROCESSING_RESOURCES_FILE = "config/resourceconfig.json"
PROCESSING_JOB_FILE = "config/processingjobconfig.json"
DATA_FOLDER = "input/data"
MODEL_FOLDER = "model"
CHECKPOINTS_FOLDER = "checkpoints"
# How the name of a file there ends that is not to be stored, as SageMaker's own XGBoost has it:
# https://github.com/aws/sagemaker-xgboost-container/blob/master/src/sagemaker_xgboost_container/checkpointing.py
IGNORED_ENDING = ".sagemaker-ignore"
OUTPUT_DATA_FOLDER = "output/data"
FAILURE_FILE = "output/failure"
# Becomes a processing job's ExitMessage.
MESSAGE_FILE = "output/message"

# SageMaker shows the first 1,024 characters of a failure.
MAX_FAILURE_CHARACTERS = 1024
USER_ERROR_EXIT = 1
INTERNAL_ERROR_EXIT = 2
STOPPED_EXIT = 143

# Set where a training job is to save checkpoints: how many seconds of its work an interruption may cost.
CHECKPOINT_SECONDS_VARIABLE = "HEADRACE_CHECKPOINT_SECONDS"

# SageMaker's own variable for containers that share an instance.
PORT_VARIABLE = "SAGEMAKER_BIND_TO_PORT"
# "true" where a batch transform job calls the container.
BATCH_VARIABLE = "SAGEMAKER_BATCH"
DEFAULT_PORT = 8080
PING_PATH = "/ping"
INVOCATIONS_PATH = "/invocations"
EXECUTION_PARAMETERS_PATH = "/execution-parameters"
# What InvokeEndpoint passes on at most.
MAX_BODY_BYTES = 6 * 1024 * 1024
MAX_PAYLOAD_MB = 6


def find_root(environment: Mapping[str, str] = os.environ) -> Path:
    """Where SageMaker's folders and files are."""
    return Path(environment.get(ML_ROOT_VARIABLE, ML_ROOT))
