"""What several containers need: each container image carries the modules that its container lists."""
