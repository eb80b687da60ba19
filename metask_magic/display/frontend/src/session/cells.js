/** Puts code into the cell behind the one that asked, where the page is JupyterLab's or Notebook's. It never runs it. */

/** @typedef {import("./protocol.js").NextCell} NextCell */
/**
 * @typedef {object} Cell The part of JupyterLab's shared cell that is used.
 * @property {string} id
 * @property {() => string} getSource
 * @property {(source: string) => void} setSource
 * @property {(key: string) => any} getMetadata
 * @property {(key: string, value: any) => void} setMetadata
 */
/** @typedef {{cells: Cell[], insertCell: (at: number, cell: object) => void, transact: (change: () => void) => void}} Notebook */

const KEY = "metask";

/** @param {{widget_manager?: any}} model @returns {Notebook | null} */
export function notebookOf(model) {
  const notebook = model.widget_manager?.context?.model?.sharedModel;
  return Array.isArray(notebook?.cells) && notebook.insertCell ? notebook : null;
}

/** @param {string} text What a changed text is told by. */
function digest(text) {
  let sum = text.length;
  for (let at = 0; at < text.length; at++) sum = (Math.imul(sum, 31) + text.charCodeAt(at)) | 0;
  return sum;
}

/**
 * A cell that was put there before is filled anew; where the user has changed it, it stays and a new one comes before it.
 *
 * @param {Notebook} notebook
 * @param {NextCell} message
 */
export function fillNextCell(notebook, { cell, source, known }) {
  const at = notebook.cells.findIndex(({ id }) => id === cell) + 1;
  if (!at) return;
  const next = notebook.cells[at];
  const before = next?.getSource();
  const mark = next?.getMetadata(KEY);
  const about = { from: cell, digest: digest(source) };
  if (next && (before === known || (mark?.from === cell && (before === source || digest(before) === mark.digest)))) {
    notebook.transact(() => {
      if (before !== source) next.setSource(source);
      next.setMetadata(KEY, about);
    });
  } else {
    notebook.insertCell(at, { cell_type: "code", source, metadata: { [KEY]: about } });
  }
}
