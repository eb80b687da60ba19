/** What assistive technology is told. It stands beside the views, as a view goes when its reply has ended. */
import { element } from "../markdown/elements.js";

/** As long as it takes to be noticed. */
const SAID_FOR = 10_000;

const CLASS = "metask-announcer";

/** @returns {HTMLElement} */
function region() {
  const known = document.querySelector(`body > .${CLASS}`);
  if (known) return /** @type {HTMLElement} */ (known);
  const made = element("div", [], CLASS);
  made.setAttribute("role", "status");
  made.setAttribute("aria-live", "polite");
  document.body.append(made);
  return made;
}

/** An empty one is noticed, and what is put into it said, by every reader only if it was there before. */
export function prepareAnnouncer() {
  region();
}

/** @param {(Node | string)[]} content */
export function announce(...content) {
  const said = element("p", content);
  region().append(said);
  setTimeout(() => said.remove(), SAID_FOR);
}
