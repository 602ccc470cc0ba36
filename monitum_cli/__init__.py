"""`monitum`, the command line: it calls the API over HTTP, as anybody may."""
