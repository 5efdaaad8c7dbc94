"""Who may do what on the local cloud: what calls need, and what was decided about each."""
