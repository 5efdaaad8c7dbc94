"""Names of the container's contract, which is that of the built-in image classification."""

TRAIN_CHANNEL = "train"
VALIDATION_CHANNEL = "validation"
TRAIN_LIST_CHANNEL = "train_lst"
VALIDATION_LIST_CHANNEL = "validation_lst"
# An earlier model, which the job goes on from.
MODEL_CHANNEL = "model"
LIST_SUFFIX = ".lst"
RECORDS_SUFFIX = ".rec"
# May lie beside the training list and name the classes, one a line, class 0 first.
LABELS_FILE = "classes.txt"

IMAGE = "application/x-image"
JPEG = "image/jpeg"
PNG = "image/png"
RECORDS = "application/x-recordio"
# A packed set, which has its own list and the names of its classes: docs/packed.md.
PACKED = "application/x-headrace-packed"
JSON = "application/json"
JSON_LINES = "application/jsonlines"

# Ours, beside those of the algorithm: decides what chance would.
SEED = "seed"

MODEL_FILE = "model.onnx"
CLASSES_FILE = "classes.json"
# What a later job can go on from; the endpoint has no use for it.
WEIGHTS_FILE = "network.npz"
CLASSES_FORMAT = "headrace-resnet"
CLASSES_VERSION = 1
INPUT_NAME = "photographs"
OUTPUT_NAME = "probabilities"

TRAIN_ACCURACY = "train:accuracy"
VALIDATION_ACCURACY = "validation:accuracy"
# Beside those of the algorithm: the same of the most frequent class.
BASELINE_ACCURACY = "baseline:accuracy"
# Of packed sets, for each epoch.
IMAGES_A_SECOND = "train:images_per_second"
WAITED_SHARE = "train:waited_share"
EPOCH_DOLLARS = "train:dollars_per_epoch"
