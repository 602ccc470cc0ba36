"""Run the command line as `python -m monitum_cli`, without the installed script."""

from monitum_cli.main import main

main()
