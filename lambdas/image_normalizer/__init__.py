"""The image normalizer: any photograph in, a small picture of one size and kind out."""
