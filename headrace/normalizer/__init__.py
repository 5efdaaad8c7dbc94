"""The image normalizer's core: any photograph in, a small picture of one size and kind out; bytes in, bytes out."""
