const FRONTEND = new URL("../../metask_magic/display/frontend/package.json", import.meta.url).href;

/** A resolve hook of Node: bare names are looked up from the front end's package. */
export async function resolve(specifier, context, next) {
  const isBare = !/^(?:\.|\/|node:|file:|data:)/.test(specifier);
  return next(specifier, isBare && !context.parentURL?.includes("/node_modules/") ? { ...context, parentURL: FRONTEND } : context);
}
