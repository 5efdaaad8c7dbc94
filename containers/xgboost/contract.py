"""Names of the container's contract, which is that of the built-in XGBoost: channels, files, content types, metrics."""

ALGORITHM = "xgboost"

TRAIN_CHANNEL = "train"
VALIDATION_CHANNEL = "validation"

# The built-in algorithm's own name for the model; it is in XGBoost's UBJSON, which is data only.
MODEL_FILE = "xgboost-model"
MOST_MODEL_BYTES = 2**31

CSV = "text/csv"
JSON = "application/json"
LIBSVM = "text/libsvm"
LIBSVM_ALIAS = "text/x-libsvm"
PARQUET = "application/x-parquet"
RECORDIO = "application/x-recordio-protobuf"
# What the built-in algorithm takes a channel for that does not say what is in it.
DEFAULT_CONTENT_TYPE = LIBSVM

# Beside those that XGBoost itself reports: the same of the simplest possible answer.
BASELINE_RMSE = "baseline:rmse"
BASELINE_ACCURACY = "baseline:accuracy"
BASELINE_PRECISION = "baseline:precision"
BASELINE_RECALL = "baseline:recall"
BASELINE_F1 = "baseline:f1"
BASELINE_ERROR = "baseline:merror"
