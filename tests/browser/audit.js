// Tells what in the notebook's outputs is not on the list of what may be there.
([allowed, places]) => {
  const found = [];
  const tags = new Set(allowed.split(" "));
  const linkSchemes = new Set(["http:", "https:", "mailto:"]);
  const unsafeStyle = /url\(|image-set|@import|expression|position\s*:\s*(fixed|sticky)/i;
  const printed = "[data-mime-type='application/vnd.jupyter.error'], [data-mime-type='application/vnd.jupyter.stderr']";
  const loads = /^(src|srcset|srcdoc|action|formaction|background|poster|data|ping|xlink:href|lowsrc|archive)$/;

  // The few elements that are allowed only as Jupyter or the view make them.
  const special = {
    // marked draws task lists so.
    input: (e) => e.type === "checkbox" && e.disabled,
    button: (e) => e.classList.contains("metask-button"),
    details: (e) => e.matches(".metask-reasoning, .metask-step, .jp-RenderedMermaid-Details"),
    figure: (e) => e.closest(".jp-RenderedMermaid"),
    // The record's own colours.
    style: (e) => e.textContent.startsWith(".metask-record ") && !unsafeStyle.test(e.textContent),
    // JupyterLab draws Mermaid's diagrams so; nothing in such an image can run.
    img: (e) => e.closest(".jp-RenderedMermaid") && e.src.startsWith("data:image/svg+xml"),
  };

  function isSafeLink(element, address) {
    if (element.classList.contains("jp-InternalAnchorLink") && address.startsWith("#")) return true;
    // In errors and printed text JupyterLab makes links of what looks like an address or a path.
    if (element.closest(printed) && (!address || address === element.textContent)) return true;
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
    cell.querySelectorAll(".jp-OutputArea-child").forEach((output, at) => {
      const place = places[index]?.[at] ?? `cell ${index}, output ${at}`;
      for (const element of output.querySelectorAll(".jp-OutputArea-output, .jp-OutputArea-output *")) {
        audit(element, place);
      }
    });
  });
  return found;
}
