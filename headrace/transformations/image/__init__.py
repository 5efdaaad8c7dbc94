"""Photographs into normalized images: the code is `headrace.normalizer`."""

from typing import Final

from headrace.normalizer.limits import Limits
from headrace.normalizer.options import GENERATION, Options
from headrace.transformations.transformation import Transformation

TRANSFORMATION: Final = Transformation(
    name="image",
    generation=GENERATION,
    options=Options,
    raw_prefix="images/",
    most_bytes=Limits().file_bytes,
    memory_mib=256,
    media_type=lambda options: str(options.output_format.media_type),
    suffix=lambda options: str(options.output_format),
)
