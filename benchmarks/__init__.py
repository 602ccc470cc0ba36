"""Where the figures of the README and of docs/ come from."""
