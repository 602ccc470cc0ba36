"""Importers: convert the configuration of other monitors to a manifest, a module per monitor."""
