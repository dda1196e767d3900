"""`python -m partimento`: the command line, where no script is installed."""

from partimento.cli import main

if __name__ == "__main__":
    main()
