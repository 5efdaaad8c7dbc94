"""Golden requests: requests with the answers that every good model gives."""
