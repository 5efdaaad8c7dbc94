"""What several containers need: each image carries the modules that its container lists."""
