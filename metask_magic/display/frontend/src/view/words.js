/** The words for a reply's state. */

import { answerOf, BROKEN_OFF, isFinal } from "../session/protocol.js";

/** @typedef {import("../session/protocol.js").Column} Column */
/** @typedef {import("../session/protocol.js").Status} Status */

/** @type {Record<Status, string>} */
const WORDS = {
  waiting: "Waiting",
  streaming: "Answering",
  stop: "Done",
  length: "Cut off",
  tool_calls: "Asks for a tool",
  content_filter: "Filtered",
  interrupted: "Stopped",
  incomplete: "Perhaps cut off",
  error: "Failed",
  empty: "Empty",
  refused: "Refused",
};

/** @param {Column} column @param {boolean} lost The kernel has gone. */
export function stateWord(column, lost) {
  const { status, reasoning } = column;
  if (lost && !isFinal(status)) return BROKEN_OFF;
  if (status === "streaming" && reasoning && !answerOf(column)) return "Reasoning";
  return WORDS[status] ?? "";
}

/** What is to be heard of a state: its word and the note, which may begin with the word. @param {string} word @param {string} note */
export function spoken(word, note) {
  if (!note || note.startsWith(word)) return note || word;
  return `${word}. ${note}`;
}
