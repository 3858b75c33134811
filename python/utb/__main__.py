"""`python -m utb` is `utb`."""

import sys

from utb.cli import main

if __name__ == "__main__":
    sys.exit(main())
