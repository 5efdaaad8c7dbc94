"""The image training container: photographs and lists in, a linear classifier out."""
