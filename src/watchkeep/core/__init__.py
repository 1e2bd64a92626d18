"""The words everything else is said in: undefined numbers, verdicts, windows, errors. Imports nothing of ours."""
