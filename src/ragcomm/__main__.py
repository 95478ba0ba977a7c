"""`python -m ragcomm` is `ragcomm`."""

from ragcomm.cli import main

main()
