"""State machines and their executions: seen as drawings and tables, and started by hand."""
