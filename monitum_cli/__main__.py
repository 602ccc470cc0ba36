"""`python -m monitum_cli`, where the script is not on the path."""

from monitum_cli.main import main

main()
