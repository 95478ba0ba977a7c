"""The commands and their options; what they do lies in the modules beside this one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="ragcomm",
    help="Moderation and vetted answers for Chinese health communities.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
keys_app = typer.Typer(help="API keys: create, list, revoke.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")

File = Annotated[str, typer.Argument(metavar="FILE", help="JSON lines, '-' for standard input.")]


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Run the service: API and pages in one process, SQLite by default."""
    from ragcomm.cli.operation import serve as run

    run(host, port)


@app.command()
def moderate(file: File) -> None:
    """Judge each line of FILE alone: {"id","text","quoted"?} in, a verdict out."""
    from ragcomm.cli.lines import moderate as run

    run(file)


@app.command()
def ask(
    file: File,
    review: Annotated[str, typer.Option(help="Entries of which review status may answer: any or clinician.")] = "any",
) -> None:
    """Search the answers for each line of FILE: {"id","text"} in, a decision and matches out."""
    from ragcomm.cli.lines import search as run

    run(file, "answers", review)


@app.command()
def debunk(
    file: File,
    review: Annotated[str, typer.Option(help="Claims of which review status may answer: any or clinician.")] = "any",
) -> None:
    """Search the known claims for each line of FILE: {"id","text"} in, a decision and matches out."""
    from ragcomm.cli.lines import search as run

    run(file, "debunks", review)


@app.command()
def train(
    name: Annotated[str, typer.Argument(help="encoder, moderation, answers, debunks, or all.")],
    version: Annotated[str | None, typer.Option(help="Name of the new version.")] = None,
    promote: Annotated[bool, typer.Option(help="Use it from now on (current.toml).")] = True,
    epochs: Annotated[int | None, typer.Option(help="Epochs of the encoder.")] = None,
) -> None:
    """Train a model from the corpora (needs the extra 'train')."""
    from ragcomm.cli.models import train as run

    run(name, version, promote=promote, epochs=epochs)


@app.command()
def publish(
    name: Annotated[str, typer.Argument(help="encoder, moderation, answers or debunks.")],
    version: Annotated[str, typer.Argument(help="A version under models/NAME.")],
) -> None:
    """Verify a model version and make it the current one."""
    from ragcomm.cli.models import publish as run

    run(name, version)


@app.command()
def evaluate(
    name: Annotated[str, typer.Argument(help="moderation, answers or debunks.")],
) -> None:
    """Print a model's figures on the test split as JSON."""
    from ragcomm.cli.models import evaluate as run

    run(name)


corpora_app = typer.Typer(help="The corpora that the product learns and answers from.", no_args_is_help=True)
app.add_typer(corpora_app, name="corpora")


@corpora_app.command("check")
def check_corpora() -> None:
    """Check schema, duplicates, leaks between splits, diversity, references and what answers may not say."""
    from ragcomm.cli.models import check_corpora as run

    run()


knowledge_app = typer.Typer(help="Entries: versions, drafts, files.", no_args_is_help=True)
app.add_typer(knowledge_app, name="knowledge")

Kind = Annotated[str, typer.Argument(metavar="KIND", help="faq or claims.")]
Note = Annotated[str, typer.Option(help="Why, for those who read the versions later.")]
Format = Annotated[str | None, typer.Option("--format", help="jsonl, csv or xlsx; else what FILE ends with.")]


@knowledge_app.command("publish")
def knowledge_publish(
    note: Note = "",
    entry: Annotated[list[str] | None, typer.Option(help="Only this draft; repeatable.")] = None,
    accept: Annotated[list[str] | None, typer.Option(help="A rule whose errors are accepted; repeatable.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Check everything, publish nothing.")] = False,
) -> None:
    """Publish the drafts that are ready as a new version."""
    from ragcomm.cli.knowledge import publish as run

    run(note, entry, accept or [], dry_run=dry_run)


@knowledge_app.command("rollback")
def knowledge_rollback(
    version: Annotated[int, typer.Argument(help="A version that 'knowledge versions' shows.", min=0)],
    note: Note = "",
) -> None:
    """Go back to an earlier version; 0 are the shipped entries."""
    from ragcomm.cli.knowledge import rollback as run

    run(version, note)


@knowledge_app.command("versions")
def knowledge_versions() -> None:
    """List the published versions, newest first."""
    from ragcomm.cli.knowledge import versions as run

    run()


@knowledge_app.command("import")
def knowledge_import(
    kind: Kind,
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSONL, CSV or XLSX, '-' for standard input.")],
    form: Format = None,
    apply: Annotated[bool, typer.Option(help="Write the changes as drafts.")] = False,
) -> None:
    """Show what FILE would change; with --apply, write it as drafts."""
    from ragcomm.cli.knowledge import import_entries as run

    run(kind, file, form, apply=apply)


@knowledge_app.command("export")
def knowledge_export(
    kind: Kind,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Where to write, '-' for standard output.")],
    form: Format = None,
    drafts: Annotated[bool, typer.Option(help="As if all drafts were published.")] = False,
) -> None:
    """Write the published entries to FILE."""
    from ragcomm.cli.knowledge import export_entries as run

    run(kind, file, form, drafts=drafts)


@knowledge_app.command("lint")
def knowledge_lint(
    kind: Annotated[str | None, typer.Argument(metavar="KIND", help="faq or claims; both if left out.")] = None,
    whole: Annotated[bool, typer.Option("--all", help="All entries, not only the drafts.")] = False,
) -> None:
    """Show what is wrong with the drafts."""
    from ragcomm.cli.knowledge import lint_entries as run

    run(kind, whole=whole)


@app.command()
def doctor() -> None:
    """Check the installation: dictionary, models, corpora, database."""
    from ragcomm.cli.operation import doctor as run

    run()


@app.command()
def demo() -> None:
    """Judge a few example messages and show what the bot would do."""
    from ragcomm.cli.operation import demo as run

    run()


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    from ragcomm.cli.operation import migrate as run

    run()


@keys_app.command("create")
def keys_create(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    scope: Annotated[list[str], typer.Option(help="bot, moderator, admin or batch; repeatable.")],
    group: Annotated[list[str] | None, typer.Option(help="Limit to a group; repeatable.")] = None,
) -> None:
    """Make a key and print it once."""
    from ragcomm.cli.operation import create_key as run

    run(name, scope, group or [])


@keys_app.command("list")
def keys_list() -> None:
    """List the valid keys, without their secrets."""
    from ragcomm.cli.operation import list_keys as run

    run()


@keys_app.command("revoke")
def keys_revoke(key_id: Annotated[str, typer.Argument(help="The id that 'keys list' shows.")]) -> None:
    """End a key."""
    from ragcomm.cli.operation import revoke_key as run

    run(key_id)


def version_folder(folder: Path) -> str:
    """A name for a version made today that no version in `folder` has."""
    from datetime import UTC, datetime

    day = datetime.now(UTC).strftime("%Y%m%d")
    taken = {p.name for p in folder.iterdir()} if folder.is_dir() else set()
    return next(name for n in range(1, 1000) if (name := f"{day}.{n}") not in taken)


def main() -> None:
    """The entry point: exit 0, 1 with one clear line, 2 for wrong usage."""
    from ragcomm.errors import RagcommError

    try:
        app(standalone_mode=True)
    except RagcommError as error:
        print(f"ragcomm: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # The reader of our lines went away (… | head); there is nobody to tell.
        sys.stderr.close()
        sys.exit(1)
