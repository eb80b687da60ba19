"""What a page did that nobody asked for: requests to others, dialogs, windows, scripts, uncaught errors."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, Request, WebError, WebSocket

# Hostile text sets this global; the trap reports it even when the page is left right after.
PWNED = "__pwned"
_REPORT = "__report_pwned"
_TRAP = f"""
Object.defineProperty(window, "{PWNED}", {{
  set(value) {{ window.{_REPORT}(`${{location.href}}: ${{value}}`); }},
}});
"""

# Schemes that stay inside the page; JupyterLab's icons and fonts come by them.
_INTERNAL = {"data", "blob", "about"}

# Notebook 7.6 throws the first two itself while it starts. JupyterLab throws the third where a kernel goes
# before it has answered: it asks for a subshell for each comm, and catches no error of that.
_NOT_OURS = ("Command 'filebrowser:open-path' not registered", "(reading 'schema')", "Canceled future for ")

# JupyterLab asks its own server whether what looks like a path in a traceback is a file, whoever wrote it.
_LOOKED_UP = "/api/resolvePath?"

# A request whose address holds this was made for a hostile text, whatever server it goes to.
CANARY = "canary"


class Watch:
    """Keeps what happens in a browser context; attach it before the first page is opened."""

    def __init__(self, context: BrowserContext, home: str) -> None:
        self.requests: list[str] = []
        self.dialogs: list[str] = []
        self.scripts: list[str] = []
        self.uncaught: list[str] = []
        self.console: list[str] = []
        self.popups: list[str] = []
        self._homes = {urlsplit(home).netloc}
        context.expose_binding(_REPORT, lambda _source, where: self.scripts.append(str(where)))
        context.add_init_script(_TRAP)
        context.on("request", self._on_request)
        context.on("requestfailed", self._on_failed)
        context.on("dialog", self._on_dialog)
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        context.on("page", self._on_page)

    @property
    def strangers(self) -> list[str]:
        """Requests that did not go to the server under test."""
        return [url for url in self.requests if not self._is_home(url)]

    @property
    def canaries(self) -> list[str]:
        """Requests for an address out of a hostile text, the server under test included."""
        return [url for url in self.requests if CANARY in url and _LOOKED_UP not in url]

    @property
    def incidents(self) -> dict[str, list[str]]:
        """What happened that never may; empty where all is well."""
        found = {
            "requests to others": self.strangers,
            "requests for an address out of a reply": self.canaries,
            "dialogs": self.dialogs,
            "scripts run by a reply": self.scripts,
            "windows opened": self.popups,
            "errors nobody caught": self.uncaught,
        }
        return {kind: details for kind, details in found.items() if details}

    def excuse(self, server: str) -> None:
        """Leave out requests to a server that was listening, and was not reached.

        The browser says that it asks, and only later, or never, that a policy has stopped it.
        """
        self.requests = [url for url in self.requests if urlsplit(url).netloc != server]

    def admit(self, home: str) -> None:
        """Watch pages of another server as well."""
        self._homes.add(urlsplit(home).netloc)

    def forget(self) -> None:
        """Start anew: what happened so far was meant."""
        for happened in (self.requests, self.dialogs, self.scripts, self.uncaught, self.console, self.popups):
            happened.clear()

    def _is_home(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme in _INTERNAL or parts.netloc in self._homes

    def _on_request(self, request: Request) -> None:
        self.requests.append(request.url)

    def _on_failed(self, request: Request) -> None:
        if request.failure == "csp":  # a policy stopped it: it never left the page
            with suppress(ValueError):  # it may have been excused meanwhile
                self.requests.remove(request.url)

    def _on_dialog(self, dialog: Dialog) -> None:
        if dialog.type != "beforeunload":  # JupyterLab's own, where a notebook is not saved
            self.dialogs.append(f"{dialog.type}: {dialog.message}")
        dialog.accept()

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.console.append(message.text)

    def _on_error(self, error: WebError) -> None:
        if not any(known in error.error.message for known in _NOT_OURS):
            self.uncaught.append(f"{error.error.message}\n{error.error.stack}")

    def _on_page(self, page: Page) -> None:
        page.on("websocket", self._on_websocket)
        page.on("popup", lambda popup: self.popups.append(popup.url))

    def _on_websocket(self, socket: WebSocket) -> None:
        self.requests.append(socket.url)
