/** The words for a reply's state. */

import { answerOf, isFinal } from "../session/protocol.js";

/** @typedef {import("../session/protocol.js").Column} Column */
/** @typedef {import("../session/protocol.js").Status} Status */
/** @typedef {import("../session/say.js").Say} Say */

/** @type {Record<Status, (say: Say) => string>} */
const WORDS = {
  waiting: (say) => say("Waiting"),
  streaming: (say) => say("Answering"),
  stop: (say) => say("Done"),
  length: (say) => say("Cut off"),
  tool_calls: (say) => say("Asks for a tool"),
  content_filter: (say) => say("Filtered"),
  interrupted: (say) => say("Stopped"),
  incomplete: (say) => say("Perhaps cut off"),
  error: (say) => say("Failed"),
  empty: (say) => say("Empty"),
  refused: (say) => say("Refused"),
};

/** @param {Column} column @param {boolean} lost The kernel has gone. @param {Say} say */
export function stateWord(column, lost, say) {
  const { status, reasoning } = column;
  if (lost && !isFinal(status)) return say("Broken off: the kernel has gone");
  if (status === "streaming" && reasoning && !answerOf(column)) return say("state|Reasoning");
  return WORDS[status]?.(say) ?? "";
}

/**
 * What is to be heard of a state: its word and the note, which may begin with the word.
 *
 * @param {string} state
 * @param {string} note
 * @param {Say} say
 */
export function spoken(state, note, say) {
  if (!note || note.startsWith(state)) return note || state;
  return say("{state}. {note}", { state, note });
}
