"""The infrastructure: one stack per lifecycle, their pieces in `constructs/`."""
