"""`cambist proof`: an account checks its part of a proof of what the venue owes."""

from pathlib import Path
from typing import Any, Final

import click

from cambist.cli.output import as_json, print_json
from cambist.reserves.files import TEXT_MAX, Proof, check_proof, read_proof, read_root
from cambist.reserves.tree import BadProof

FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("proof", type=FILE)
@click.argument("report", type=FILE)
@click.option("--atoms", type=click.IntRange(min=0), help="What you own by your own books.")
@as_json
def proof(proof: Path, report: Path, *, atoms: int | None, as_json: bool) -> None:
    """Check PROOF, which the venue gave to your account, against the REPORT that it published.

    Get the report from elsewhere than the proof: the venue must have given everybody the same.
    """
    try:
        given = checked(read(proof), read(report), atoms)
    except BadProof as error:
        raise click.ClickException(f"the proof does not hold: {error}") from None
    root = given.root
    if as_json:
        print_json(proof_fields(given))
        return
    click.echo(
        f"account {given.account_id} is owed {given.atoms} atoms of asset {given.asset_id},"
        f" part of {root.atoms} below {root.digest.hex()}"
    )


def checked(proof: str, report: str, atoms: int | None) -> Proof:
    """The proof, when it holds below the report's root. Raises BadProof."""
    asset_id, root = read_root(report)
    given = read_proof(proof)
    if given.asset_id != asset_id:
        raise BadProof("a proof of another asset")
    check_proof(given, root)
    if atoms is not None and atoms != given.atoms:
        raise BadProof(f"it shows {given.atoms} atoms, not {atoms}")
    return given


def proof_fields(proof: Proof) -> dict[str, Any]:
    """For programs: atoms as text."""
    return {
        "account_id": proof.account_id,
        "asset_id": proof.asset_id,
        "atoms": str(proof.atoms),
        "root": proof.root.digest,
        "root_atoms": str(proof.root.atoms),
    }


def read(path: Path) -> str:
    """A file that is not absurdly large. Raises BadProof."""
    with path.open(encoding="utf-8", errors="replace") as file:
        text = file.read(TEXT_MAX + 1)
    if len(text) > TEXT_MAX:
        raise BadProof(f"{path.name} is larger than {TEXT_MAX} characters")
    return text
