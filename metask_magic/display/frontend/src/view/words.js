/** The words for a reply's state. */

import { answerOf, isFinal } from "../session/protocol.js";

/** @typedef {import("../session/protocol.js").Column} Column */
/** @typedef {import("../session/protocol.js").Status} Status */

/** @type {Record<Status, string>} */
const WORDS = {
  waiting: "Waiting",
  streaming: "Answering",
  stop: "Done",
  length: "Cut off at the token limit",
  tool_calls: "Calls a tool",
  content_filter: "Cut off by the content filter",
  interrupted: "Stopped",
  incomplete: "Ended early",
  error: "Failed",
  empty: "Empty",
  refused: "Refused",
};

/** @param {Column} column @param {boolean} lost The kernel has gone. */
export function stateWord(column, lost) {
  const { status, reasoning } = column;
  if (lost && !isFinal(status)) return "Broken off: the kernel has gone";
  if (status === "streaming" && reasoning && !answerOf(column)) return "Reasoning";
  return WORDS[status] ?? "";
}
