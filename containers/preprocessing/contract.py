"""Names of the preprocessing container's contract: environment, arguments, folders and files."""

ML_ROOT_VARIABLE = "MILLRACE_ML_ROOT"
ML_ROOT = "/opt/ml"

SPLIT_RATIO_ARGUMENT = "--train-test-split-ratio"
DEFAULT_SPLIT_RATIO = 0.1
SEED_ARGUMENT = "--seed"
DEFAULT_SEED = 42

# Relative to the root, which is /opt/ml in the container.
INPUT_FOLDER = "processing/input"
TRAIN_FOLDER = "processing/train"
TEST_FOLDER = "processing/test"
ENCODING_FOLDER = "processing/encoding"
FAILURE_FILE = "output/failure"
# SageMaker reports this file as the processing job's ExitMessage.
MESSAGE_FILE = "output/message"

TRAIN_FEATURES_FILE = "train_features.csv"
TRAIN_LABELS_FILE = "train_labels.csv"
TEST_FEATURES_FILE = "test_features.csv"
TEST_LABELS_FILE = "test_labels.csv"
ENCODING_FILE = "encoding.json"

# SageMaker shows the first 1,024 characters of a failure.
MAX_FAILURE_CHARACTERS = 1024
USER_ERROR_EXIT = 1
INTERNAL_ERROR_EXIT = 2
STOPPED_EXIT = 143
