"""The containers of the Big Mart workload."""
