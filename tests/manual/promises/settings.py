"""What `settings.md` promises."""

from __future__ import annotations

from ..promise import Promise

PROMISES = [Promise("%config Metask", shows=["Metask(Configurable) options", "Metask.model=<Unicode>"])]
