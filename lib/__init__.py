"""Shared logic of the analyses; DESIGN in docs/architecture.md names the levels."""
