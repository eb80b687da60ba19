/** Makes one tree of nodes like another while keeping the nodes that fit: nothing flickers, a selection stays. */

import { texOf } from "./elements.js";

/** @param {Element} old @param {Element} wanted */
function morphAttributes(old, wanted) {
  for (const { name } of [...old.attributes]) {
    if (!wanted.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

/** @param {Text} old @param {Text} wanted */
function morphText(old, wanted) {
  if (old.data === wanted.data) return;
  // Appending, unlike setting, leaves a selection in the text alone.
  if (wanted.data.startsWith(old.data)) old.appendData(wanted.data.slice(old.length));
  else old.data = wanted.data;
}

/**
 * @template {Node} Kind
 * @param {Node} old In the document.
 * @param {Kind} wanted Not in the document; used up.
 * @returns {Node} The one of both that now stands in the document.
 */
export function morph(old, wanted) {
  if (old instanceof Text && wanted instanceof Text) {
    morphText(old, wanted);
    return old;
  }
  const tex = texOf(wanted);
  if (!(old instanceof Element && wanted instanceof Element) || old.nodeName !== wanted.nodeName || texOf(old) !== tex) {
    old.parentNode?.replaceChild(wanted, old);
    return wanted;
  }
  if (tex !== undefined) return old; // it may have been typeset
  morphAttributes(old, wanted);
  const olds = [...old.childNodes];
  const wanteds = [...wanted.childNodes];
  wanteds.forEach((child, index) => {
    if (index < olds.length) morph(olds[index], child);
    else old.appendChild(child);
  });
  for (const child of olds.slice(wanteds.length)) child.remove();
  return old;
}
