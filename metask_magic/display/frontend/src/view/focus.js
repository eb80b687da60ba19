/** Who works by keyboard stays where the view was when the record takes its place. */

/**
 * @param {HTMLElement} el The view.
 * @returns {() => void} To be called once it has gone, and the focus with it.
 */
export function keepFocus(el) {
  /** @type {HTMLElement | null | undefined} Around the view; null while the focus is elsewhere. */
  let place = null;
  el.addEventListener("focusin", () => (place = el.parentElement?.closest("[tabindex]")));
  el.addEventListener("focusout", () => {
    setTimeout(() => {
      if (el.isConnected && !el.contains(document.activeElement)) place = null;
    }, 0); // until then nobody has the focus
  });
  return () => {
    if (el.contains(document.activeElement) || document.activeElement === document.body) place?.focus();
  };
}
