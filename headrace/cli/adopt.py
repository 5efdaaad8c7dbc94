"""`headrace adopt`: what deleted stacks have kept, for the next ones."""

import json
import shlex
from pathlib import Path

import click

from headrace.assemblies import read_folder
from headrace.cli import progress
from headrace.cli.assembly_option import ASSEMBLY_OPTION
from headrace.cli.json_option import JSON_OPTION
from headrace.cli.region import use_region


@click.command()
@ASSEMBLY_OPTION
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".headrace/adoption"),
    show_default=True,
    help="Where what `cdk import` reads goes: the resource mappings, a file for each stack, and the app for it.",
)
@JSON_OPTION
def adopt(assembly: Path, output: Path, as_json: bool) -> None:
    """Find the data that deleted stacks have kept, and print the commands by which new stacks take them over.

    Looks in the account that your AWS clients use, and changes nothing there. With nothing to take over, the commands
    are those of a first deployment.

    Example: make synth ENV=prod && headrace adopt
    """
    from headrace.deletion.adoption import find_adoptions, list_commands, write_imports
    from headrace.deletion.assembly import read_assembly

    stacks = read_assembly(assembly)
    use_region(read_folder(assembly).region)
    with progress.step("look for what was kept"):
        adoptions = find_adoptions(stacks)
    write_imports(adoptions, assembly, output)
    for adoption in adoptions:
        for known in adoption.passed_over:
            click.echo(
                f"{adoption.stack.name}: {known} was kept by an earlier stack, too, and stays as it is", err=True
            )
    commands = list(list_commands(adoptions, assembly, output))
    if as_json:
        found = {adoption.stack.id: adoption.mapping for adoption in adoptions if adoption.found}
        click.echo(json.dumps({"found": found, "commands": commands}, indent=2))
        return
    for adoption in adoptions:
        for name, known in adoption.found.items():
            click.echo(f"# {adoption.stack.name}: {known} becomes {name}")
    click.echo("\n".join(shlex.join(command) for command in commands))
