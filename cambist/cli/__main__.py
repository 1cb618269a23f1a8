"""`python -m cambist.cli`: the same as `cambist`."""

from cambist.cli.main import main

if __name__ == "__main__":
    main(prog_name="cambist")
