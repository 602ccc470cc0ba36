"""The HTTP API: requests, validation, problems, routing and the pages of the dashboard."""
