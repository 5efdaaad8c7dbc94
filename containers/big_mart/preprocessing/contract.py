"""Names of the preprocessing container's contract: arguments, folders and files."""

SPLIT_RATIO_ARGUMENT = "--train-test-split-ratio"
DEFAULT_SPLIT_RATIO = 0.1
SEED_ARGUMENT = "--seed"
DEFAULT_SEED = 42
LAYOUT_ARGUMENT = "--layout"
# Features and labels in files of their own, or in one with the label first, as built-in algorithms read CSV.
SEPARATE_LAYOUT = "separate"
LABEL_FIRST_LAYOUT = "label-first"
# Float32 features and a label in each record of RecordIO-protobuf, as built-in algorithms read it.
RECORDIO_LAYOUT = "recordio"
BINS_ARGUMENT = "--bins"
# The labels are numbers, and not ranges of them.
NO_BINS = 0
TRAIN_FILES_ARGUMENT = "--train-files"
MOST_TRAIN_FILES = 100

# Relative to the root, which is /opt/ml in the container.
INPUT_FOLDER = "processing/input"
TRAIN_FOLDER = "processing/train"
TEST_FOLDER = "processing/test"
ENCODING_FOLDER = "processing/encoding"

TRAIN_FEATURES_FILE = "train_features.csv"
TRAIN_LABELS_FILE = "train_labels.csv"
TEST_FEATURES_FILE = "test_features.csv"
TEST_LABELS_FILE = "test_labels.csv"
TRAIN_FILE = "train.csv"
TEST_FILE = "test.csv"
TRAIN_RECORDS_FILE = "train.pbr"
TEST_RECORDS_FILE = "test.pbr"
ENCODING_FILE = "encoding.json"
BINS_FILE = "bins.json"


def name_train_file(number: int, count: int) -> str:
    """One of the files that hold the training rows, counted from 1."""
    return TRAIN_FILE if count == 1 else f"train-{number:05}-of-{count:05}.csv"


def name_part(file: str, number: int, count: int) -> str:
    """What a file of rows is called that has those of one of several raw files only, counted from 1.

    Example:
        >>> name_part("train_features.csv", 2, 8)
        'train-00002-of-00008_features.csv'
    """
    part, _, kind = file.partition("_")
    return f"{part}-{number:05}-of-{count:05}_{kind}"


# What the files below the input folder are called in the record of what was read.
RAW_CHANNEL = "raw"
