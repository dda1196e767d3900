"""The command line: `partimento VERB …`. Each verb has a file of its own; `main` runs them."""


def main() -> None:
    """Run the command line of this process; see `app`."""
    try:
        from partimento.cli import app
    except KeyboardInterrupt:  # Ctrl-C before anything could say so
        raise SystemExit(130) from None
    app.main()
