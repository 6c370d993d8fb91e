"""Runs the command line as `python3 -m users_service`."""

import sys

from users_service.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
