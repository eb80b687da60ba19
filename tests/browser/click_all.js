// Clicks everything in the outputs that may react; tells how many things that were.
//
// Following an http link would be a request to a stranger, which is what the click asks for: it is stopped at the
// window, after every handler of the page has seen it. Any other link is followed.
() => {
  const guard = (event) => {
    const link = event.target.closest?.("a[href]");
    if (link && ["http:", "https:", "mailto:"].includes(link.protocol)) event.preventDefault();
  };
  window.addEventListener("click", guard);
  window.addEventListener("auxclick", guard);
  const targets = document.querySelectorAll(
    ".jp-OutputArea-output:not([data-mime-type^='application/vnd.jupyter']) :is(a, summary, mjx-container *, [onclick], [data-commandlinker-command], input)"
  );
  for (const target of targets) {
    target.dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
    target.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, view: window }));
  }
  window.removeEventListener("click", guard);
  window.removeEventListener("auxclick", guard);
  return targets.length;
}
