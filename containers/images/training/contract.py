"""Names of the image training container's contract: environment, channels, hyperparameters, files and metrics."""

# The channels, their content type and their meaning are those of SageMaker's built-in image classification.
TRAIN_CHANNEL = "train"
VALIDATION_CHANNEL = "validation"
TRAIN_LIST_CHANNEL = "train_lst"
VALIDATION_LIST_CHANNEL = "validation_lst"
CHANNEL_CONTENT_TYPE = "application/x-image"
LIST_SUFFIX = ".lst"
# May lie beside the training list and name the classes, one a line, class 0 first.
LABELS_FILE = "classes.txt"

# With the first of these set, photographs come from the normalizer and not from channels. They say where it is (as
# `headrace.images` has it), where in its bucket the lists' paths begin, its options as in a URL's query, and how many
# photographs are asked for at the same time.
IMAGES_VARIABLE = "HEADRACE_IMAGES"
IMAGES_PREFIX_VARIABLE = "HEADRACE_IMAGES_PREFIX"
IMAGES_OPTIONS_VARIABLE = "HEADRACE_IMAGES_OPTIONS"
IMAGES_CONNECTIONS_VARIABLE = "HEADRACE_IMAGES_CONNECTIONS"
MOST_CONNECTIONS = 256

CLASSIFIER_FILE = "classifier.json"
WEIGHTS_FILE = "weights.npz"

# What the classifier's file says of itself, by which the endpoint knows its own.
CLASSIFIER_FORMAT = "headrace-image-classifier"
CLASSIFIER_VERSION = 1

IMAGE_SIZE = "image_size"
INVERSE_REGULARIZATION = "inverse_regularization"
MIRROR = "mirror"
MAX_BAD_PHOTOGRAPHS = "max_bad_photographs"

TRAIN_ACCURACY = "train:accuracy"
VALIDATION_ACCURACY = "validation:accuracy"
VALIDATION_TOP5_ACCURACY = "validation:top5_accuracy"
# Means over the classes, weighted by how many photographs each has.
VALIDATION_PRECISION = "validation:precision"
VALIDATION_RECALL = "validation:recall"
VALIDATION_F1 = "validation:f1"
BASELINE_ACCURACY = "baseline:accuracy"
