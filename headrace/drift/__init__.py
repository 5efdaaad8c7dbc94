"""Whether what an endpoint is asked still looks like what its model was trained on."""
