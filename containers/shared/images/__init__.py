"""What is done to photographs in training and at the endpoint alike."""
