"""The image training container: images and lists in, a linear classifier out."""
