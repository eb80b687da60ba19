/** Loading of what is not bundled: the hosts' own builds, by script tags and by require.js, as they do it. */

/** @param {string} source */
export function script(source) {
  return new Promise((resolve, reject) => {
    const tag = Object.assign(document.createElement("script"), { src: source, onload: resolve, onerror: reject });
    document.head.append(tag);
  });
}

/** @param {string} name */
export function amd(name) {
  return new Promise((resolve, reject) => window.requirejs([name], resolve, reject));
}

/** require.js, and anywidget's module where it would come from the kernel's machine or from a CDN. */
export async function loadRequire() {
  await script("require/require.js");
  window.requirejs.config({ paths: { anywidget: "anywidget/index" } });
}
