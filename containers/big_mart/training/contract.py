"""Names of the training container's contract: channels, hyperparameters, files and metrics."""

TRAIN_CHANNEL = "train"
VALIDATION_CHANNEL = "validation"
ENCODING_CHANNEL = "encoding"
# A file of features has its labels beside it: train_features.csv and train_labels.csv.
FEATURES_SUFFIX = "_features.csv"
LABELS_SUFFIX = "_labels.csv"

MODEL_FILE = "model.onnx"
ENCODING_FILE = "encoding.json"

# Properties inside the model file, by which the endpoint knows its own.
MODEL_FORMAT_PROPERTY = "format"
MODEL_FORMAT = "headrace-forest-1"
ENCODING_DIGEST_PROPERTY = "encoding_sha256"

N_ESTIMATORS = "n_estimators"
MIN_SAMPLES_LEAF = "min_samples_leaf"
MAX_FEATURES = "max_features"
MAX_DEPTH = "max_depth"
SEED = "seed"

VALIDATION_RMSE = "validation:rmse"
VALIDATION_R2 = "validation:r2"
BASELINE_RMSE = "baseline:rmse"
BASELINE_R2 = "baseline:r2"
TRAIN_RMSE = "train:rmse"
