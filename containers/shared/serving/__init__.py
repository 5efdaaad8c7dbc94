"""What endpoints share."""
