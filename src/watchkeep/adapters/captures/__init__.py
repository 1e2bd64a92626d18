"""The store of captures: sealed from segments, listed, read, compacted, expired, exported."""
