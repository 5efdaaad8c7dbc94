"""The image inference container: an image in, the probabilities of its class out, over HTTP."""
