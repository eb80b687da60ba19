"""What a forge reads of the repository: how to cite it, and the forms for issues and pull requests."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from .kernel import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))
CHANGES = ROOT / ".github/PULL_REQUEST_TEMPLATE.md"

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]{2}")

# Which keys GitHub asks for in the attributes of each kind.
ASKED = {
    "markdown": {"value"},
    "textarea": {"label"},
    "dropdown": {"label", "options"},
    "checkboxes": {"label", "options"},
}


@pytest.mark.parametrize(
    ("cited", "said"),
    [
        ("title", PROJECT["name"]),
        ("version", PROJECT["version"]),
        ("license", PROJECT["license"]),
        ("keywords", PROJECT["keywords"]),
        ("url", PROJECT["urls"]["Documentation"]),
        ("cff-version", "1.2.0"),
    ],
)
def test_it_is_cited_as_what_it_is(cited: str, said: object) -> None:
    assert CITATION[cited] == said


def test_what_a_citation_must_have() -> None:
    assert {"cff-version", "message", "title", "authors"} <= {*CITATION}
    assert all(author["name"] for author in CITATION["authors"])


def fields(form: Path) -> list[dict[str, Any]]:
    body: list[dict[str, Any]] = yaml.safe_load(form.read_text(encoding="utf-8"))["body"]
    return body


def test_there_are_forms() -> None:
    assert [form.stem for form in FORMS] == ["bug", "wish"]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_a_form_is_one_that_is_shown(form: Path) -> None:
    said = yaml.safe_load(form.read_text(encoding="utf-8"))
    assert said["name"]
    assert said["description"]
    ids = [field["id"] for field in fields(form) if field["type"] != "markdown"]
    assert len({*ids}) == len(ids) > 0
    for field in fields(form):
        assert ASKED[field["type"]] <= {*field["attributes"]}
    assert any(field.get("validations", {}).get("required") for field in fields(form))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_a_form_speaks_both_languages(form: Path) -> None:
    said = yaml.safe_load(form.read_text(encoding="utf-8"))
    shown = [field["attributes"] for field in fields(form)]
    texts = [said["name"], said["description"]]
    texts += [each[key] for each in shown for key in ("label", "description", "value") if key in each]
    assert [text for text in texts if not (_CHINESE.search(text) and _LATIN.search(text))] == []


def test_the_form_of_a_change_speaks_both_languages() -> None:
    lines = [line for line in CHANGES.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert [line for line in lines if not (_CHINESE.search(line) and _LATIN.search(line))] == []
