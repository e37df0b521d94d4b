"""What the tests start and put in between: servers of each kind, a cluster, Sentinel's trio, lines that fail."""
