"""The container that normalizes photographs in bulk."""
