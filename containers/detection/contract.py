"""Names of the container's contract, which is that of the built-in object detection."""

TRAIN_CHANNEL = "train"
VALIDATION_CHANNEL = "validation"
RECORDS_SUFFIX = ".rec"

IMAGE = "application/x-image"
JPEG = "image/jpeg"
PNG = "image/png"
RECORDS = "application/x-recordio"
JSON = "application/json"
JSON_LINES = "application/jsonlines"

# Ours, beside those of the algorithm: decides what chance would.
SEED = "seed"

MODEL_FILE = "model.onnx"
DETECTOR_FILE = "detector.json"
DETECTOR_FORMAT = "headrace-detection"
DETECTOR_VERSION = 1
INPUT_NAME = "photographs"
SCORES_NAME = "scores"
BOXES_NAME = "boxes"

VALIDATION_MAP = "validation:mAP"
# Beside that of the algorithm: the same of the mean box of each class.
BASELINE_MAP = "baseline:mAP"
