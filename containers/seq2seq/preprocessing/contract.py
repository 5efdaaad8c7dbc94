"""Names of the preprocessing container's contract: arguments, folders and files."""

SPLIT_RATIO_ARGUMENT = "--train-test-split-ratio"
DEFAULT_SPLIT_RATIO = 0.1
SEED_ARGUMENT = "--seed"
DEFAULT_SEED = 42
VOCABULARY_ARGUMENT = "--vocabulary-size"
DEFAULT_VOCABULARY = 50_000
MOST_VOCABULARY = 1_000_000

# Relative to the root, which is /opt/ml in the container.
INPUT_FOLDER = "processing/input"
TRAIN_FOLDER = "processing/train"
VALIDATION_FOLDER = "processing/validation"
VOCABULARY_FOLDER = "processing/vocab"
RECORD_FOLDER = "processing/record"

# The names that SageMaker's example gives them.
TRAIN_FILE = "train.rec"
VALIDATION_FILE = "val.rec"

PAIRS_SUFFIX = ".tsv"
SOURCE_SUFFIX = ".src"
TARGET_SUFFIX = ".trg"

# What the files below the input folder are called in the record of what was read.
RAW_CHANNEL = "raw"
