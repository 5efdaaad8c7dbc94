"""Names of the preprocessing container's contract: argument, folders and files."""

PREDICTION_LENGTH_ARGUMENT = "--prediction-length"
DEFAULT_PREDICTION_LENGTH = 90
MOST_PREDICTION_LENGTH = 364

# Relative to the root, which is /opt/ml in the container.
INPUT_FOLDER = "processing/input"
TRAIN_FOLDER = "processing/train"
TEST_FOLDER = "processing/test"
CATEGORIES_FOLDER = "processing/categories"

# DeepAR knows JSON Lines by this ending.
TRAIN_FILE = "train.json"
TEST_FILE = "test.json"
# The number of each store and item.
CATEGORIES_FILE = "categories.json"

# What the files below the input folder are called in the record of what was read.
RAW_CHANNEL = "raw"
