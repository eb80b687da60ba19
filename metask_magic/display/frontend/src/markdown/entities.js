/** Character references (`&amp;`, `&#8212;`) → the characters they stand for. */

const REFERENCE = /&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});/g;

/** @type {Map<string, string>} Bounded by the number of references that exist, but for the numeric ones. */
const known = new Map();
const MAX_KNOWN = 4096;

/**
 * The browser's own table is used: the 2,231 names would be a fifth of the bundle. What is parsed is one
 * reference and nothing else, in a document that is never shown.
 *
 * @param {string} reference
 */
function decodeReference(reference) {
  let character = known.get(reference);
  if (character === undefined) {
    // The letter in front keeps the parser from dropping a white-space character.
    const { body } = new DOMParser().parseFromString(`x${reference}`, "text/html");
    character = (body.textContent ?? "").slice(1) || reference;
    if (known.size < MAX_KNOWN) known.set(reference, character);
  }
  return character;
}

/** @param {string} text */
export function decodeEntities(text) {
  return text.includes("&") ? text.replace(REFERENCE, decodeReference) : text;
}
