"""What a run does around each workload's pipeline: its sample data, their delivery, the questions to its endpoint."""
