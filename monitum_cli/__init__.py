"""The `monitum` command line, a client of the HTTP API."""
