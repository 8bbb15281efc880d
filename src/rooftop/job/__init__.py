"""One job: read, prepare, compute tiles, aggregate, write."""
