"""The operator's commands: the local stack, deployments, backups. They are not shipped."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
