/** Which addresses a link may have. */

const ALLOWED = new Set(["http:", "https:", "mailto:"]);

/**
 * @param {string} address As written, character references decoded.
 * @returns {string | null} An absolute http(s) or mailto address in its normal form, or null for anything else:
 *   other schemes, and relative addresses, which JupyterLab would resolve with the page's token.
 */
export function safeAddress(address) {
  let url;
  try {
    url = new URL(address);
  } catch {
    return null;
  }
  return ALLOWED.has(url.protocol) ? url.href : null;
}
