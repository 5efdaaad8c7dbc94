"""The function that ends executions which failed: it removes what they have left half made, and says so."""
