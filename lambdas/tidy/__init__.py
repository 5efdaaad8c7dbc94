"""The function that deletes what executions before the last ones have made for endpoints."""
