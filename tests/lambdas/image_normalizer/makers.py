"""What makes normalized images behind the doors of a test."""

from headrace.normalizer.contract import DEFAULT_TRANSFORMATION
from headrace.transformations.registry import find_transformation
from lambdas.image_normalizer.cache import NormalizedImageCache
from lambdas.image_normalizer.normalized_images import Maker


def make_maker(cache: NormalizedImageCache | None = None, name: str = DEFAULT_TRANSFORMATION) -> Maker:
    """The maker of a transformation."""
    transformation = find_transformation(name)
    return Maker(transformation, transformation.load(), cache)
