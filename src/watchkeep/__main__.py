"""`python -m watchkeep`."""

from watchkeep.cli import main

if __name__ == "__main__":
    main()
