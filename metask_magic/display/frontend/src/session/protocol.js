/**
 * What travels between the kernel (`metask_magic/display/view.py`) and the page.
 *
 * @typedef {"waiting" | "streaming" | "stop" | "length" | "tool_calls" | "content_filter" | "interrupted" |
 *   "incomplete" | "error" | "empty" | "refused"} Status
 * @typedef {{title: string, body: string, failed: boolean}} Step Something done on the way: a tool that was called.
 * @typedef {{text: string, start: number, reasoning: string, steps: Step[], status: Status, note: string,
 *   detail: string}} Column
 *   One model's reply. What of `text` stands before `start` was no answer, and gave way to what follows; `note` is a
 *   line for who waits or why it ended; `detail` figures such as "1.2 s".
 * @typedef {[column: number, offset: number, text: string]} Piece New text; `offset` counts UTF-16 units.
 * @typedef {[column: number, place: number, step: Step]} NewStep
 * @typedef {[column: number, about: Partial<Pick<Column, "start" | "status" | "note" | "detail">>]} StatusChange
 * @typedef {{type: "delta", text?: Piece[], reasoning?: Piece[], steps?: NewStep[], status?: StatusChange[]}} Delta
 * @typedef {{type: "keyframe", state: Column[]}} Keyframe
 * @typedef {{type: "next_cell", cell: string, source: string, known: string | null}} NextCell Code for the cell behind
 *   `cell` (an id); `known` is what the kernel has put there by other means.
 * @typedef {{type: "record", data: Record<string, any>, metadata: Record<string, any>, note: string}} KeptRecord What
 *   takes the view's place, for a page that has missed it; `note` is what was said beside it.
 * @typedef {Delta | Keyframe | NextCell | KeptRecord | {type: "ack"}} FromKernel
 * @typedef {{type: "hello", cells: boolean} | {type: "resync"} | {type: "record"} |
 *   {type: "stop", column: number | null}} ToKernel
 *   `cells` says whether the page can fill the next cell; null stops the replies of all columns.
 */

/** Whether a reply has ended, in whatever way. @param {Status} status */
export function isFinal(status) {
  return status !== "waiting" && status !== "streaming";
}

/** @param {Pick<Column, "text" | "start">} column @returns {string} The text that counts. */
export function answerOf({ text, start }) {
  return start ? text.slice(start) : text;
}
