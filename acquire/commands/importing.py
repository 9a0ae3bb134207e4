"""The command that makes trial archives of other laboratories' files."""

from pathlib import Path
from typing import Annotated

import typer

from acquire.commands.console import print_json, stderr, stdout
from acquire.commands.laboratory import Json


def import_files(
    folder: Annotated[Path, typer.Argument(help="Folder of C3D, sEMG, text files.")],
    dataset: Annotated[
        Path | None, typer.Option(help="Dataset folder; made when missing.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="Layout: k2muse, or a YAML file.")
    ] = None,
    participant: Annotated[
        str | None, typer.Option(help="Only this one, such as P43.")
    ] = None,
    propose: Annotated[
        Path | None, typer.Option(help="Write a suggested profile here; no import.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Make trial archives of other laboratories' files, by a declared layout."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    if propose is not None:
        _propose(folder, propose)
        return
    from acquire.imports import import_folder, load_profile

    if profile is None:
        raise typer.BadParameter(
            "say how the files are laid out: --profile k2muse or a YAML file; "
            "--propose FILE writes one to correct"
        )
    if dataset is None:
        raise typer.BadParameter("say where to: --dataset DIR")
    with stderr.status("importing") as status:
        result = import_folder(
            folder,
            dataset,
            load_profile(profile),
            status.update,
            participant=participant,
        )
    if as_json:
        print_json(result.to_json())
    else:
        stdout.print(result.describe(), highlight=False, soft_wrap=True)
    raise typer.Exit(int(bool(result.refused)))


def _propose(folder: Path, target: Path) -> None:
    from acquire.imports.propose import propose as suggest
    from acquire.storage.durable import write_text_atomically

    if target.exists():
        raise FileExistsError(f"{target} is there already")
    found = suggest(folder)
    write_text_atomically(target, found.text)
    stdout.print(f"{target}: {found.describe()}", highlight=False, soft_wrap=True)
