"""Manifests: load, plan, apply and export an account's resources as one YAML file."""
