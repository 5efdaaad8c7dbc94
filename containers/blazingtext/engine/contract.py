"""Names of the container's contract, which is that of the built-in BlazingText: channels, files, modes, metrics."""

ALGORITHM = "blazingtext"

TRAIN_CHANNEL = "train"
VALIDATION_CHANNEL = "validation"
SUPERVISED = "supervised"
LABEL_PREFIX = "__label__"

# The built-in algorithm's own names; the binary ones are fastText's format, which is data only.
VECTORS_TEXT_FILE = "vectors.txt"
VECTORS_FILE = "vectors.bin"
CLASSIFIER_FILE = "model.bin"

JSON = "application/json"
JSON_LINES = "application/jsonlines"

VALIDATION_ACCURACY = "validation:accuracy"
# What the built-in algorithm does not report: the part of the rows whose label is the most frequent one.
BASELINE_ACCURACY = "baseline:accuracy"
