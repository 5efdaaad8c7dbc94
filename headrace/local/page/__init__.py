"""The page of the local cloud: what runs on it, seen and tried in a browser."""
