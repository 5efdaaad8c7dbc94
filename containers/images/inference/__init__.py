"""The image inference container: a photograph in, the probabilities of its class out, over HTTP."""
