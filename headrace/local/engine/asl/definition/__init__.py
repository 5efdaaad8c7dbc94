"""What is wrong with the definition of a state machine, before it is made."""
