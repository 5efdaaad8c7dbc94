"""The image normalizer's transformation."""

from headrace.normalizer.normalize import normalize
from headrace.normalizer.options import Options


def transform(data: bytes, options: Options) -> bytes:
    """The normalized image of a photograph.

    Raises:
        NormalizeError: What is wrong with the photograph, as one of its subclasses.
    """
    return normalize(data, options)
