"""The checklist before a commit: coded rules for percent scripts, with the way out of each."""
