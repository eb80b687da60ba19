/**
 * Which blocks of a text that still grows are finished. Taking a block for finished too early shows it wrong until
 * the whole is read at the end; taking it for open too long costs time on every frame.
 */

/** @typedef {import("marked").Token} Token */

/** What may yet become the marker of a list item: "2" may turn out to be "2. two". */
const HALF_A_MARKER = /^ {0,3}(?:[-+*]|\d{1,9}[.)]?)?\s*$/;

/** @param {Token} token */
const isBlank = (token) => token.type === "space";

/** @param {Token[]} tokens @param {number} index */
function previousBlock(tokens, index) {
  let previous = index - 1;
  while (previous >= 0 && isBlank(tokens[previous])) previous--;
  return previous;
}

/** @param {Token} token */
function endsItself(token) {
  return token.type === "heading" || token.type === "hr" || (token.type === "code" && token.codeBlockStyle !== "indented");
}

/**
 * Can more text behind `last`, the text's last block, change the block before it?
 *
 * @param {Token} before
 * @param {Token} last
 * @param {boolean} blankBetween
 */
function isSettled(before, last, blankBetween) {
  const lines = last.raw.split("\n").length;
  if (last.type === "table" && !blankBetween) return lines > 2; // its second line decides that it is one
  if (lines > 1) return true; // how a block starts, and so where the one before ends, is settled with its first line
  if (before.type === "list") return blankBetween && !HALF_A_MARKER.test(last.raw);
  return blankBetween || endsItself(before);
}

/**
 * @param {Token[]} tokens The blocks of a text that may go on.
 * @returns {number} How many of them, from the first, stay as they are.
 */
export function countClosed(tokens) {
  let open = previousBlock(tokens, tokens.length);
  for (;;) {
    const before = previousBlock(tokens, open);
    if (before < 0) return 0;
    const blankBetween = before < open - 1 || /\n[ \t]*\n$/.test(tokens[before].raw);
    if (isSettled(tokens[before], tokens[open], blankBetween)) return open;
    open = before;
  }
}
