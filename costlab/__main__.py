"""`python -m costlab`."""

import sys

from costlab.cli import main

if __name__ == "__main__":
    sys.exit(main())
