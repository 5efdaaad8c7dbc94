"""The image normalizer: any photograph in, a small normalized image out."""
