"""Names of the container's contract, which is that of the built-in sequence-to-sequence: channels, files, metrics."""

TRAIN_CHANNEL = "train"
VALIDATION_CHANNEL = "validation"
VOCABULARY_CHANNEL = "vocab"
RECORDS_SUFFIX = ".rec"

JSON = "application/json"
JSON_LINES = "application/jsonlines"
RECORDS = "application/x-recordio-protobuf"

# Ours, beside those of the algorithm: decides what chance would.
SEED = "seed"
HIGHEST_SEED = 2**31 - 1

ENCODER_FILE = "encoder.onnx"
DECODER_FILE = "decoder.onnx"
DESCRIPTION_FILE = "seq2seq.json"
FORMAT = "headrace-seq2seq"
VERSION = 1
MOST_MODEL_BYTES = 2**31
MOST_VOCABULARY_BYTES = 256 * 2**20
MOST_DESCRIPTION_BYTES = 2**20

VALIDATION_BLEU = "validation:bleu"
VALIDATION_PERPLEXITY = "validation:perplexity"
VALIDATION_ACCURACY = "validation:accuracy"
# Beside those of the algorithm: the same of translating word for word, in the order of the source.
BASELINE_BLEU = "baseline:bleu"
