/** VS Code's widget manager, loaded and asked as its Jupyter extension does. */
import { loadRequire } from "./scripts.js";

/** What its renderer of widgets sets on an output. */
const GROUND = "cell-output-ipywidget-background";

export async function vscodeManager(kernel, version) {
  const style = { rel: "stylesheet", href: "vscode.css" };
  document.head.append(Object.assign(document.createElement("link"), style));
  await loadRequire();
  const module = await import(new URL(`vscode${version}/dist/ipywidgets.js`, location).href);
  module.activate();
  window[`vscIPyWidgets${version}`].load();
  const loader = {
    widgetsRegisteredInRequireJs: new Set(["anywidget"]),
    loadWidgetScript: async () => undefined,
    errorHandler: (name, _module, _version, error) => console.error(name, error),
    successHandler: () => undefined,
  };
  const manager = new window.vscIPyWidgets.WidgetManager(kernel, document.body, loader, () => undefined);
  return {
    has: (id) => manager.get_model(id) !== undefined && (manager.has_model?.(id) ?? true),
    async show(id, node) {
      const inner = document.createElement("div");
      [node, inner].forEach((each) => each.classList.add(GROUND));
      node.append(inner);
      const model = await manager.get_model(id);
      const view = await manager.create_view(model, { el: inner });
      const shown = await manager.display_view({}, view, { node: inner });
      return () => {
        node.classList.remove(GROUND);
        shown.dispose();
      };
    },
  };
}
