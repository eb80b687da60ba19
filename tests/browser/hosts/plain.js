/** The manager of plain pages (html-manager), connected to a kernel: what Colab's is made from. */
import { amd, loadRequire, script } from "./scripts.js";

export async function plainManager(kernel, version) {
  await loadRequire();
  await script(`plain${version}/dist/libembed-amd.js`);
  const { HTMLManager } = await amd("@jupyter-widgets/html-manager");
  const { shims } = await amd("@jupyter-widgets/base");

  class Manager extends HTMLManager {
    async _create_comm(target, id, data, metadata) {
      const comm = kernel.createComm(target, id);
      if (data || metadata) comm.open(data, metadata);
      return new shims.services.Comm(comm);
    }

    async _get_comm_info() {
      const reply = await kernel.requestCommInfo({ target_name: this.comm_target_name });
      return reply.content.comms;
    }
  }

  const manager = new Manager({ loader: amd });
  kernel.registerCommTarget(manager.comm_target_name, (comm, message) =>
    manager.handle_comm_open(new shims.services.Comm(comm), message),
  );
  return {
    has: () => true,
    async show(id, node) {
      const model = await manager.get_model(id);
      const view = await manager.create_view(model);
      await manager.display_view(...(version === 7 ? [undefined, view, { el: node }] : [view, node]));
      return () => view.remove();
    },
  };
}
