"""Names of the image inference container's contract: files, media types and limits."""

CLASSIFIER_FILE = "classifier.json"
WEIGHTS_FILE = "weights.npz"

# What the classifier's file says of itself, by which the endpoint knows its own.
CLASSIFIER_FORMAT = "headrace-image-classifier"
CLASSIFIER_VERSION = 1

IMAGE = "application/x-image"
JPEG = "image/jpeg"
PNG = "image/png"
JSON = "application/json"

# How many classes an answer names; it gives the probability of all.
NAMED_PREDICTIONS = 5
