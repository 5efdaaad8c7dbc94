"""Free text into clean text: one encoding, one Unicode form, one kind of line ends, as much of it as is asked for."""

from typing import Final

from headrace.transformations.text.options import GENERATION, LARGEST_FILE, Options
from headrace.transformations.transformation import Transformation

TRANSFORMATION: Final = Transformation(
    name="text",
    generation=GENERATION,
    options=Options,
    raw_prefix="texts/",
    most_bytes=LARGEST_FILE,
    memory_mib=512,
    media_type=lambda _: "text/plain; charset=utf-8",
    suffix=lambda _: "txt",
)
