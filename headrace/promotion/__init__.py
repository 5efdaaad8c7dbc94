"""A version of a model goes from one environment to the next as it is: nothing is built or trained again."""
