"""The containers that train and serve image classifiers."""
