"""Names of the preprocessing container's contract: arguments, folders and files."""

SPLIT_RATIO_ARGUMENT = "--train-test-split-ratio"
DEFAULT_SPLIT_RATIO = 0.1
SEED_ARGUMENT = "--seed"
DEFAULT_SEED = 42

# Relative to the root, which is /opt/ml in the container.
INPUT_FOLDER = "processing/input"
TRAIN_FOLDER = "processing/train"
VALIDATION_FOLDER = "processing/validation"
RECORD_FOLDER = "processing/record"

TRAIN_FILE = "train.txt"
VALIDATION_FILE = "validation.txt"
LABEL_PREFIX = "__label__"

# What the files below the input folder are called in the record of what was read.
RAW_CHANNEL = "raw"
