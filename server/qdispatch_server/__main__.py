"""`python -m qdispatch_server`: the same as the console script."""

from qdispatch_server.entry import main

main()
