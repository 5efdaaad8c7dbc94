"""The function that keeps, beside a model, what it was made from."""
