/** The outputs of one cell, kept and shown as a notebook does. */

const WIDGET = "application/vnd.jupyter.widget-view+json";
const SHOWN = [WIDGET, "text/html", "text/markdown", "text/plain"];

export class Cell {
  #manager;
  #displayed;
  #node = document.createElement("section");
  /** @type {{output: object, node: HTMLElement, dispose: () => void}[]} */
  #shown = [];
  #clearsLater = false;

  constructor(manager, displayed) {
    this.#manager = manager;
    this.#displayed = displayed;
    this.#node.className = "cell";
    document.body.append(this.#node);
  }

  get outputs() {
    return this.#shown.map(({ output }) => output);
  }

  async run(kernel, code) {
    const metadata = { cellId: crypto.randomUUID() };
    const future = kernel.requestExecute({ code, allow_stdin: true }, true, metadata);
    future.onIOPub = (message) => this.#take(message.header.msg_type, message.content);
    const reply = await future.done;
    return reply.content.status;
  }

  #take(type, content) {
    if (type === "clear_output") {
      if (content.wait) this.#clearsLater = true;
      else this.#clear();
    } else if (type === "update_display_data") {
      for (const shown of this.#displayed.get(content.transient.display_id) ?? []) shown.change(content);
    } else if (["display_data", "execute_result", "stream", "error"].includes(type)) {
      if (this.#clearsLater) this.#clear();
      this.#add({ output_type: type, ...content });
    }
  }

  #clear() {
    this.#clearsLater = false;
    this.#shown.forEach((shown) => shown.dispose());
    this.#shown = [];
    this.#node.replaceChildren();
  }

  #add(output) {
    const node = document.createElement("div");
    this.#node.append(node);
    const shown = { output, node, dispose: () => undefined };
    shown.change = ({ data, metadata }) => {
      Object.assign(output, { data, metadata });
      this.#show(shown);
    };
    this.#shown.push(shown);
    const id = output.transient?.display_id;
    if (id) this.#displayed.set(id, [...(this.#displayed.get(id) ?? []), shown]);
    this.#show(shown);
  }

  async #show(shown) {
    const { output, node } = shown;
    shown.dispose();
    shown.dispose = () => undefined;
    node.replaceChildren();
    const data = output.data ?? { "text/plain": output.text ?? `${output.ename}: ${output.evalue}` };
    const kinds = SHOWN.filter((kind) => kind in data);
    if (kinds[0] === WIDGET && !this.#manager.has(data[WIDGET].model_id)) kinds.shift(); // as VS Code does
    const kind = kinds[0] ?? "nothing";
    node.dataset.mime = kind;
    if (kind === WIDGET) {
      const view = await this.#manager.show(data[WIDGET].model_id, node);
      if (node.dataset.mime === WIDGET) shown.dispose = view;
      else view();
    } else if (kind === "text/html") {
      node.innerHTML = data[kind];
    } else {
      node.textContent = [data[kind]].flat().join("");
      node.style.whiteSpace = "pre-wrap";
    }
  }
}
