"""The programs of the container images, a folder for each workload."""
