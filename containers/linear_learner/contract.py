"""Names of the container's contract, which is that of the built-in linear learner: channels, content types, metrics."""

ALGORITHM = "linear-learner"

TRAIN_CHANNEL = "train"
VALIDATION_CHANNEL = "validation"
TEST_CHANNEL = "test"

# What the model is, and its numbers; both are data only.
MODEL_FILE = "linear-learner.json"
MODEL_FORMAT = "headrace-linear-learner"
MODEL_VERSION = 1
WEIGHTS_FILE = "weights.npz"

CSV = "text/csv"
JSON = "application/json"
JSON_LINES = "application/jsonlines"
RECORDIO = "application/x-recordio-protobuf"
# What the built-in algorithm takes a channel for that does not say what is in it.
DEFAULT_CONTENT_TYPE = RECORDIO

BINARY = "binary_classifier"
MULTICLASS = "multiclass_classifier"
REGRESSOR = "regressor"

# Beside what the built-in algorithm reports: the same of the simplest answer, and an error in the labels' unit.
VALIDATION_RMSE = "validation:rmse"
BASELINE_RMSE = "baseline:rmse"
BASELINE_MSE = "baseline:mse"
BASELINE_ABSOLUTE_LOSS = "baseline:absolute_loss"
BASELINE_ACCURACY = "baseline:multiclass_accuracy"
BASELINE_F_BETA = "baseline:macro_f_beta"
BASELINE_BINARY_ACCURACY = "baseline:binary_classification_accuracy"
BASELINE_BINARY_F_BETA = "baseline:binary_f_beta"

# How many features a sparse row in JSON may leave out, so that no request can ask for memory without end.
MOST_ABSENT = 10_000_000
