"""The function that asks an endpoint golden requests while it is updated."""
