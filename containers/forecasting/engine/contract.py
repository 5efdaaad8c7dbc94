"""Names of the engine's contract: channels, hyperparameters, files, metrics, media types and keys."""

# The channels and the hyperparameters below are those of SageMaker's DeepAR, as far as it has them.
TRAIN_CHANNEL = "train"
TEST_CHANNEL = "test"
SUFFIX = ".json"

PREDICTION_LENGTH = "prediction_length"
TIME_FREQ = "time_freq"
TEST_QUANTILES = "test_quantiles"
CALIBRATION_WINDOWS = "calibration_windows"
SEED = "seed"
DAILY = "D"
# DeepAR's others, which say nothing to trees.
OTHERS_OF_DEEPAR = (
    "cardinality",
    "context_length",
    "dropout_rate",
    "early_stopping_patience",
    "embedding_dimension",
    "epochs",
    "learning_rate",
    "likelihood",
    "mini_batch_size",
    "num_cells",
    "num_dynamic_feat",
    "num_eval_samples",
    "num_layers",
)

MODEL_FILE = "model.onnx"
FORECAST_FILE = "forecast.json"
FORECAST_FORMAT = "headrace-forecast"
FORECAST_VERSION = 1

TEST_SMAPE = "test:smape"
TEST_QUANTILE_LOSS = "test:mean_wQuantileLoss"
TEST_RMSE = "test:RMSE"
TEST_COVERAGE_ERROR = "test:coverage_error"
BASELINE_SMAPE = "baseline:smape"
BASELINE_QUANTILE_LOSS = "baseline:mean_wQuantileLoss"

JSON = "application/json"
JSON_LINES = "application/jsonlines"
JSON_LINES_ALIAS = "application/x-jsonlines"

# A request and its answer, in DeepAR's form.
INSTANCES = "instances"
CONFIGURATION = "configuration"
NUM_SAMPLES = "num_samples"
OUTPUT_TYPES = "output_types"
QUANTILES = "quantiles"
PREDICTIONS = "predictions"

# A few seconds of work.
MAX_INSTANCES = 1000
