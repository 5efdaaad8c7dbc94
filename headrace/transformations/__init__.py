"""What the normalizer's doors can do with an object: one folder per transformation, bytes in, bytes out."""
