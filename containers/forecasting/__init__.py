"""The containers of the forecasting workload."""
