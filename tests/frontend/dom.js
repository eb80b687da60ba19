/** A document for the tests: happy-dom's, with the browser's globals in their places. */
import { Window } from "happy-dom";

const GLOBALS = [
  "document", "location", "Node", "Text", "Element", "HTMLElement", "DOMParser", "Event", "MouseEvent", "PointerEvent",
];

export const window = new Window({ url: "http://localhost:8888/lab" });
for (const name of GLOBALS) {
  Object.defineProperty(globalThis, name, { value: window[name], configurable: true, writable: true });
}

/** Animation frames come when a test says so. */
let frames = [];
globalThis.requestAnimationFrame = (callback) => frames.push(callback);
globalThis.cancelAnimationFrame = (id) => delete frames[id - 1];

export function nextFrame() {
  const due = frames;
  frames = [];
  for (const callback of due) callback?.(performance.now());
}

/** A fresh element in the document. */
export function place() {
  const node = document.createElement("div");
  document.body.append(node);
  return node;
}
