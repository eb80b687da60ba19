"""Commands of `%metask` that need no room of their own: status, models, login, logout, help."""

from __future__ import annotations

import contextlib
import json
from base64 import b64decode
from collections.abc import Sequence
from typing import Any

from ..display.table import Table
from ..errors import MetaskError, MissingKeyError, SettingError
from ..gateway.models import Model, matching
from ..messages.kinds import JSON
from ..messages.request import Message, Request
from ..prompt.images import pixels
from ..settings import KEYRING_SERVICE, ApiKey, Metask
from ..usage.ledger import ModelUsage
from ..words import did_you_mean, nearest, plain
from .stdin import NobodyAnswersError, ask
from .usage import summarize

LONGEST_LIST = 200


def status(settings: Metask, local_description: str, recording: str, used: ModelUsage) -> Table:
    """Return the status card: what would be asked, where, and with whose key."""
    try:
        key = settings.find_key().source
    except MissingKeyError:
        key = "none: `%metask login` asks for one"
    except SettingError as error:
        key = str(error)
    rows = [
        ("model", settings.model),
        ("base URL", settings.base_url),
        ("key", key),
        ("local model", local_description),
        ("recording", recording),
    ]
    if used.requests:
        rows.append(("tokens so far", summarize(used, settings.budget_tokens)))
    for variable, near in settings.unknown_variables().items():
        rows.append((variable, "is no setting" + (f"; did you mean {near}?" if near else "")))
    return Table(
        "metask-magic", (), tuple(rows), "`%metask help` lists the commands, `%%metask?` the options."
    )


def list_models(models: Sequence[Model], note: str, pattern: str) -> Table:
    """Return the models that match, as a table.

    Raises
    ------
    MetaskError
        None does.

    """
    found = matching(models, pattern)
    if not found:
        near = nearest(pattern, (model.id for model in models))
        raise MetaskError(
            f"None of the {len(models)} models matches {plain(pattern)}.", f"{did_you_mean(near)}".strip()
        )
    rows = tuple(
        (plain(m.id), plain(m.owner or ""), m.created.strftime("%Y-%m-%d") if m.created else "")
        for m in found[:LONGEST_LIST]
    )
    more = len(found) - len(rows)
    if more:
        note = f"… and {more} more: narrow it with `%metask models PATTERN`."
    counted = (
        f"{len(found)} of {len(models)} models"
        if pattern
        else f"{len(models)} model{'s' if len(models) != 1 else ''}"
    )
    return Table(counted, ("id", "owner", "created"), rows, note)


def dry_run(requests: Sequence[Request], where: str) -> Table:
    """Return the exact request that would be sent, its images shortened, and the sizes of its parts.

    Of several, which differ in their model alone, the first. `where` says who would get it.
    """
    request = requests[0]
    body = request.to_json()
    size = len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))
    shown = json.dumps(_without_images(body), ensure_ascii=False, indent=2)
    sizes = [*map(_sizes, request.messages), f"in all: {size:,} bytes"]
    title = f"Not sent: {where}"
    if len(requests) > 1:
        title += f", for {len(requests)} models: {', '.join(each.model for each in requests)}"
    return Table(title, (), ((shown,),), "; ".join(sizes))


def _without_images(value: JSON) -> JSON:
    """Put what it is into the place of each image's data."""
    match value:
        case {"type": "image_url", "image_url": {"url": str(url)}} if url.startswith("data:"):
            start, _, data = url.partition(",")
            size = _image_size(start.removeprefix("data:").removesuffix(";base64"), b64decode(data))
            return {"type": "image_url", "image_url": {"url": f"{start},… ({size})"}}
        case dict():
            return {name: _without_images(inner) for name, inner in value.items()}
        case list():
            return [_without_images(inner) for inner in value]
    return value


def _sizes(message: Message) -> str:
    images = (
        f"{plain(image.name) or 'image'} {_image_size(image.media_type, image.data)}"
        for image in message.images
    )
    return ", ".join([f"{message.role}: {len(message.text):,} characters", *images])


def _image_size(kind: str, data: bytes) -> str:
    size = pixels(data)
    name = kind.removeprefix("image/").upper()
    return f"{len(data):,} bytes of {name}" + (f", {size[0]:,} × {size[1]:,}" if size else "")


def login(settings: Metask) -> str:
    """Ask for a key without showing it, use it from now on, and offer to keep it in the keyring.

    Raises
    ------
    SettingError
        Nobody can type it, or it is none that can be sent.

    """
    try:
        value = ask(f"Key for {settings.base_url}: ", hidden=True).strip()
    except NobodyAnswersError:
        raise SettingError(
            "`%metask login` asks for the key, and nobody can type here.",
            "Set METASK_API_KEY in the environment before the kernel starts, or keep the key in the system "
            "keyring.",
        ) from None
    if not value:
        return "No key entered; nothing has changed."
    settings.api_key = ApiKey(value, "`%metask login`")
    settings.find_key()
    keyring = _keyring()
    if keyring is None:
        return 'The key is used until the kernel ends. To keep it: `pip install "metask-magic[keyring]"`.'
    if not _wants_it_kept():
        return "The key is used until the kernel ends."
    try:
        keyring.set_password(KEYRING_SERVICE, settings.base_url, value)
    except keyring.errors.KeyringError:
        return "No keyring answers on this machine: the key is used until the kernel ends."
    return "The key is kept in the system keyring."


def _wants_it_kept() -> bool:
    try:
        return ask("Keep it in the system keyring? [y/N] ").strip().lower() in {"y", "yes"}
    except NobodyAnswersError:
        return False


def logout(settings: Metask) -> str:
    """Forget the key of this kernel and of the keyring; say where another still comes from."""
    settings.api_key = None
    keyring = _keyring()
    if keyring is not None:
        with contextlib.suppress(keyring.errors.KeyringError):  # there was none
            keyring.delete_password(KEYRING_SERVICE, settings.base_url)
    try:
        return f"Forgotten. A key is still found in {settings.find_key().source}."
    except SettingError:
        return "Forgotten: there is no key any more."


def _keyring() -> Any:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return None
    return keyring


HELP = Table(
    "%metask",
    ("type", "for"),
    (
        ("%%metask [MODEL] [options]", "ask; the cell is the prompt ({{ name }} puts in a value)"),
        ("%metask MODEL prompt", "ask in one line: answer = %metask gpt-4o-mini Hello!"),
        ("%%metask local", "ask a very small model on this machine, without a key"),
        ("%metask", "show what would be asked, where, with whose key"),
        ("%%metask MODEL MODEL …", "ask several models, side by side"),
        ("%%metask MODEL --map df", "ask about each row of a table ({{ row.column }})"),
        (
            "%%metask gpt-4o-mini gpt-4o --map df --check column",
            "try models on a table: which is good enough?",
        ),
        ("%metask models [PATTERN]", "list the models this key may use"),
        ("%metask explain [MODEL [question]]", "ask about the last exception"),
        ("%metask tools", "servers of tools (MCP) and what they have; add, load, show, remove one"),
        ("%metask export [NAME] [python|node|curl] [PATH]", "a reply's request as a script of its own"),
        ("%metask chats", "list the conversations (-c NAME); show, fork, trim, save one"),
        ("%metask usage [--reset]", "show the tokens used so far; start the count over"),
        ("%metask recordings", "list the recorded replies; show, compact, forget, verify"),
        ("%metask login, %metask logout", "enter a key without showing it; forget it"),
        ("%config Metask", 'show the settings; %config Metask.model = "…" sets one'),
        ("%%metask?", "list the options"),
    ),
)
