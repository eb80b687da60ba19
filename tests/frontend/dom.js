/** A document for the tests: happy-dom's, with the browser's globals in their places. */
import { Window } from "happy-dom";

export const window = new Window({ url: "http://localhost:8888/lab" });
for (const name of ["document", "Node", "Text", "Element", "HTMLElement", "DOMParser"]) {
  Object.defineProperty(globalThis, name, { value: window[name], configurable: true, writable: true });
}
