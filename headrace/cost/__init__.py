"""What a platform costs: while it stands, for each execution, and for one that was recorded."""
