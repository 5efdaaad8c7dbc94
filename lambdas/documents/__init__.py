"""The functions of the documents' state machine: one counts, unpacks and gathers, the other passes notices on."""
