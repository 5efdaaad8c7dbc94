"""Names of the inference container's contract: files, media types and limits."""

MODEL_FILE = "model.onnx"
ENCODING_FILE = "encoding.json"

# Properties inside the model file, by which the endpoint knows its own.
MODEL_FORMAT_PROPERTY = "format"
MODEL_FORMAT = "headrace-forest-1"
ENCODING_DIGEST_PROPERTY = "encoding_sha256"

CSV = "text/csv"
JSON = "application/json"
JSON_LINES = "application/jsonlines"
JSON_LINES_ALIAS = "application/x-jsonlines"
# The content-type parameter that says whether a CSV body starts with a header.
HEADER_PARAMETER = "header"
HEADER_PRESENT = "present"
HEADER_ABSENT = "absent"

# A few seconds of work; 6 MiB of empty cells would be half a million rows.
MAX_ROWS = 100_000
