/** Interrupting the kernel over REST, from the page, where it is JupyterLab's or Notebook's. */

/** @returns {{baseUrl: string, token: string} | null} */
function jupyterConfig() {
  const text = document.getElementById("jupyter-config-data")?.textContent;
  if (!text) return null;
  try {
    const { baseUrl, token } = JSON.parse(text);
    return typeof baseUrl === "string" ? { baseUrl, token: typeof token === "string" ? token : "" } : null;
  } catch {
    return null;
  }
}

/** @returns {string} The server asks for the cookie's value as a header, against requests forged elsewhere. */
function xsrfToken() {
  return /(?:^|;\s*)_xsrf=([^;]*)/.exec(document.cookie)?.[1] ?? "";
}

/**
 * @param {string} kernelId
 * @returns {(() => Promise<boolean>) | null} Interrupts, and tells whether the server did; null where it cannot be
 *   done from here (VS Code, Colab, a saved page).
 */
export function kernelInterrupt(kernelId) {
  const config = jupyterConfig();
  if (!config || !/^[\w-]+$/.test(kernelId)) return null;
  const address = new URL(`${config.baseUrl}api/kernels/${kernelId}/interrupt`, location.href);
  if (address.origin !== location.origin) return null; // the token stays at home
  /** @type {Record<string, string>} */
  const headers = { "X-XSRFToken": xsrfToken() };
  if (config.token) headers.Authorization = `token ${config.token}`;
  return async () => {
    const request = { method: "POST", credentials: /** @type {const} */ ("same-origin"), headers };
    const response = await fetch(address.href, request).catch(() => null);
    return response?.ok ?? false;
  };
}
