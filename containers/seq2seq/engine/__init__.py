"""Learns and serves translations as SageMaker's sequence-to-sequence does; it is not AWS's program."""
