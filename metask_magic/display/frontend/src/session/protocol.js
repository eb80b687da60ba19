/**
 * What travels between the kernel (`metask_magic/display/view.py`) and the page.
 *
 * @typedef {"waiting" | "streaming" | "stop" | "length" | "tool_calls" | "content_filter" | "interrupted" |
 *   "incomplete" | "error"} Status
 * @typedef {{text: string, reasoning: string, status: Status, note: string, detail: string}} Column
 *   One model's reply. `note` is a line for who waits or why it ended; `detail` figures such as "1.2 s".
 * @typedef {[column: number, offset: number, text: string]} Piece New text; `offset` counts UTF-16 units.
 * @typedef {[column: number, about: Partial<Pick<Column, "status" | "note" | "detail">>]} StatusChange
 * @typedef {{type: "delta", text?: Piece[], reasoning?: Piece[], status?: StatusChange[]}} Delta
 * @typedef {{type: "keyframe", state: Column[]}} Keyframe
 * @typedef {Delta | Keyframe | {type: "ack"}} FromKernel
 * @typedef {{type: "hello"} | {type: "resync"} | {type: "stop", column: number}} ToKernel
 */

/** How a reply can end: the finish reasons of `metask_magic/chat/messages.py`. */
const FINAL = new Set(["stop", "length", "tool_calls", "content_filter", "interrupted", "incomplete", "error"]);

/** @param {Status} status */
export function isFinal(status) {
  return FINAL.has(status);
}
