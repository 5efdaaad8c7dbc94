"""Names that those who ask golden requests and those who have them asked share; standard library only."""

from typing import Final

# The module of a serving container image's package that asks a model before it serves, and its arguments.
REHEARSAL_MODULE: Final = "rehearsal"
MODEL_ARGUMENT: Final = "--model"
REQUESTS_ARGUMENT: Final = "--requests"

# How many requests an endpoint did not answer as expected.
NAMESPACE: Final = "Headrace"
METRIC: Final = "GoldenRequestsFailed"
ENDPOINT_DIMENSION: Final = "EndpointName"
