"""Targets, channels and the rest as one YAML file: read, compared, applied, written."""
