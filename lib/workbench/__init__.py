"""The tooling round the analyses: run them, read what changed, open the record."""
