"""The three container programs: preprocessing, training and inference."""
