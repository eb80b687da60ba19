/**
 * A notebook's page reduced to what matters here: a real kernel, the outputs of cells, and a host's widget manager.
 *
 * `?manager=vscode8&kernel=NAME&token=…` chooses; `host` is what the tests speak to.
 */
import { CommsOverSubshells, KernelManager, ServerConnection } from "@jupyterlab/services";
import { Cell } from "./cell.js";
import { plainManager } from "./plain.js";
import { vscodeManager } from "./vscode.js";

const MANAGERS = {
  vscode7: (kernel) => vscodeManager(kernel, 7),
  vscode8: (kernel) => vscodeManager(kernel, 8),
  plain7: (kernel) => plainManager(kernel, 7),
  plain8: (kernel) => plainManager(kernel, 8),
};

const query = new URLSearchParams(location.search);
const serverSettings = ServerConnection.makeSettings({
  baseUrl: new URL("/", location).href,
  wsUrl: new URL("/", location).href.replace("http", "ws"),
  token: query.get("token"),
  appendToken: true,
});

async function open() {
  const kernels = new KernelManager({ serverSettings });
  const kernel = await kernels.startNew({ name: query.get("kernel") });
  await kernel.info;
  kernel.commsOverSubshells = CommsOverSubshells.Disabled; // which VS Code and Colab have none of
  const manager = await MANAGERS[query.get("manager")](kernel);
  const cells = [];
  /** The outputs with a display id, of whatever cell. */
  const displayed = new Map();
  window.host = {
    kernel,
    /** Run a cell below the others; resolves at its end. */
    run(code) {
      const cell = new Cell(manager, displayed);
      cells.push(cell);
      return cell.run(kernel, code);
    },
    outputs: () => cells.map((cell) => cell.outputs),
  };
}

open().catch((error) => {
  window.host = { error: String(error.stack ?? error) };
});
