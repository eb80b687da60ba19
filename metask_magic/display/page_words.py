"""The words of the live view, which the page asks for by their English (`frontend/src/session/say.js`)."""

from __future__ import annotations

from ..language import N_, _, current, pgettext

_SENTENCES = (
    N_("Waiting"),
    N_("Answering"),
    N_("Done"),
    N_("Cut off"),
    N_("Asks for a tool"),
    N_("Filtered"),
    N_("Stopped"),
    N_("Perhaps cut off"),
    N_("Failed"),
    N_("Empty"),
    N_("Refused"),
    N_("{state}. {note}"),
    N_(": {state}"),
    N_("Broken off: the kernel has gone"),
    N_("Broken off: the kernel has gone."),
    N_("Saved before its end."),
    N_("model"),
    N_("Reply of {model}"),
    N_("Stop"),
    N_("Stop all"),
    N_("Stopping…"),
    N_("Stop the reply of {model}"),
    N_("Stop all: the replies of all models"),
    N_("Copy"),
    N_("Copied"),
    N_("Not copied"),
    N_("Copy the reply of {model} as Markdown"),
    N_("Steps"),
    N_("✗ failed"),
    N_("nothing"),
    N_("Reasoning"),
    N_("image"),
    N_("Task"),
)


def words_of_the_page() -> dict[str, str]:
    """Return the translations by their English; none where English is spoken, which the page does itself."""
    if current() == "en":
        return {}
    thinking = {"state|Reasoning": pgettext("state of a reply", "Reasoning")}
    return {sentence: _(sentence) for sentence in _SENTENCES} | thinking
