"""The container that normalizes images in bulk."""
