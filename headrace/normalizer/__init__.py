"""The image normalizer's core: any photograph in, a small normalized image out; bytes in, bytes out."""
