"""What real gateways send, as data: add a line to a kind, and the tests ask for it.

Each shape is an answer with what must come of it: the reply's text, how it ended, the line that says so
below the text; or the error's class, and what it and its remedy say.
"""

from __future__ import annotations

from collections.abc import Mapping

from .shape import Shape
from .shapes_of_refusals import ERRORS_IN_200, ERRORS_WITH_A_STATUS, PARAMETERS, REDIRECTS
from .shapes_of_replies import CHUNKS, ENDINGS, FRAMING, NOT_STREAMED, REASONING, TOOLS, USAGE_REPORTS

KINDS: Mapping[str, Mapping[str, Shape]] = {
    "framing": FRAMING,
    "chunks": CHUNKS,
    "not streamed": NOT_STREAMED,
    "usage": USAGE_REPORTS,
    "ending": ENDINGS,
    "reasoning": REASONING,
    "tools": TOOLS,
    "error in 200": ERRORS_IN_200,
    "error with a status": ERRORS_WITH_A_STATUS,
    "redirect": REDIRECTS,
    "parameter": PARAMETERS,
}

SHAPES: Mapping[str, Shape] = {
    f"{kind}: {name}": shape for kind, shapes in KINDS.items() for name, shape in shapes.items()
}
