"""Looking through an output area for what text of a model must never become.

What is allowed is listed, not what is forbidden: an element nobody thought of counts as harm.
"""

from __future__ import annotations

from collections.abc import Sequence

from .notebook import NotebookPage

_ALLOWED = (
    "p br hr div blockquote a em strong b i s del h1 h2 h3 h4 h5 h6 ul ol li code pre span table thead tbody "
    "tr th td section header footer bdi details summary button input style img figure"
)

_AUDIT = """
([allowed, places]) => {
  const found = [];
  const tags = new Set(allowed.split(" "));
  const linkSchemes = new Set(["http:", "https:", "mailto:"]);
  const unsafeStyle = /url\\(|image-set|@import|expression|position\\s*:\\s*(fixed|sticky)/i;
  const loads = /^(src|srcset|srcdoc|action|formaction|background|poster|data|ping|xlink:href|lowsrc|archive)$/;

  // The few elements that are allowed only as Jupyter or the view make them.
  const special = {
    // marked draws task lists so.
    input: (e) => e.type === "checkbox" && e.disabled,
    button: (e) => e.classList.contains("metask-button"),
    details: (e) => e.matches(".metask-reasoning, .jp-RenderedMermaid-Details"),
    figure: (e) => e.closest(".jp-RenderedMermaid"),
    // The record's own colours.
    style: (e) => e.textContent.startsWith(".metask-record ") && !unsafeStyle.test(e.textContent),
    // JupyterLab draws Mermaid's diagrams so; nothing in such an image can run.
    img: (e) => e.closest(".jp-RenderedMermaid") && e.src.startsWith("data:image/svg+xml"),
  };

  function isSafeLink(element, address) {
    if (element.classList.contains("jp-InternalAnchorLink") && address.startsWith("#")) return true;
    try {
      return linkSchemes.has(new URL(address).protocol); // without a base: relative ones throw
    } catch {
      return false;
    }
  }

  function auditAttribute(element, { name, value }, report) {
    if (name.startsWith("on") || name.startsWith("data-commandlinker")) report(name);
    if (loads.test(name) && element.localName !== "img") report(`${name}=${value}`);
    if (name === "style" && unsafeStyle.test(value)) report(`style ${value}`);
    // MathML may have links on any element.
    if (name === "href" && !isSafeLink(element, value)) report(`href ${value}`);
  }

  function audit(element, place) {
    const name = element.localName;
    const report = (what) => found.push(`${place}: <${name}> ${what}`.slice(0, 300));
    // MathJax's own: `mjx-…`, and MathML for screen readers inside them.
    const isMath = name.startsWith("mjx-") || element.closest("mjx-assistive-mml");
    if (!isMath && !tags.has(name)) report("is not allowed");
    else if (special[name] && !special[name](element)) report("is not allowed as it is");
    if (element.namespaceURI === "http://www.w3.org/2000/svg") report("is SVG");
    for (const attribute of element.attributes) auditAttribute(element, attribute, report);
    if (element.shadowRoot) report("has a shadow root");
  }

  document.querySelectorAll(".jp-Notebook .jp-Cell").forEach((cell, index) => {
    for (const element of cell.querySelectorAll(".jp-OutputArea-output, .jp-OutputArea-output *")) {
      audit(element, places[index] ?? `cell ${index}`);
    }
  });
  return found;
}
"""

# Following an http link would be a request to a stranger, which is what the click asks for: it is stopped at
# the window, after every handler of the page has seen it. Any other link is followed.
_CLICK_ALL = """
() => {
  const guard = (event) => {
    const link = event.target.closest?.("a[href]");
    if (link && ["http:", "https:", "mailto:"].includes(link.protocol)) event.preventDefault();
  };
  window.addEventListener("click", guard);
  window.addEventListener("auxclick", guard);
  const targets = document.querySelectorAll(
    ".jp-OutputArea-output :is(a, summary, mjx-container *, [onclick], [data-commandlinker-command], input)"
  );
  for (const target of targets) {
    target.dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
    target.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, view: window }));
  }
  window.removeEventListener("click", guard);
  window.removeEventListener("auxclick", guard);
  return targets.length;
}
"""


def audit(notebook: NotebookPage, places: Sequence[str] = ()) -> list[str]:
    """Return what is wrong with any output; `places` names the cells."""
    found: list[str] = notebook.page.evaluate(_AUDIT, [_ALLOWED, list(places)])
    return found


def click_all(notebook: NotebookPage) -> int:
    """Click everything in the outputs that may react, without leaving the page; returns how many."""
    count: int = notebook.page.evaluate(_CLICK_ALL)
    return count
