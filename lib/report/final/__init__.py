"""The final report: one page from what earlier analyses recorded, or a refusal by name."""
