"""The interpreter of the Amazon States Language: it knows no cloud, and is given its tasks and its clock."""
