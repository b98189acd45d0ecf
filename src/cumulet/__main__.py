"""`python -m cumulet`: the same as the command `cumulet`."""

import sys

from cumulet.cli.main import main

sys.exit(main())
