/** The words for a reply's state. */

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
};

/** @param {Column} column */
export function stateWord({ status, reasoning, text }) {
  if (status === "streaming" && reasoning && !text) return "Reasoning";
  return WORDS[status] ?? "";
}
