"""What is done to images in training and at the endpoint alike."""
