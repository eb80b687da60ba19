/** Bundles the widget: `node build.mjs [OUTPUT FOLDER]`. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const output = resolve(process.argv[2] ?? join(here, "..", "static"));

/** The whole of it travels to the page with every widget. */
const MAX_BYTES = 150_000;

/**
 * marked's last lines make an instance of its renderer, which is never called here and which no bundler can leave out:
 * a fifteenth of the bundle. They go before it is bundled.
 */
const lexerAlone = {
  name: "lexer-alone",
  setup({ onLoad }) {
    onLoad({ filter: /marked\.esm\.js$/ }, ({ path }) => {
      const [, classes, exported] = /^([^]*;)var \w+=new \w+;function \w+\([^]*export\{([^}]*)\}/.exec(readFileSync(path, "utf8")) ?? [];
      const needed = exported?.split(",").filter((name) => / as (Lexer|Tokenizer)$/.test(name)) ?? [];
      if (needed.length !== 2) throw new Error("marked ends in another way: see `lexerAlone` in build.mjs.");
      return { contents: `${classes}export{${needed}}` };
    });
  },
};

const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: ["src/widget.js", "src/widget.css"],
  outdir: output,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  plugins: [lexerAlone],
  legalComments: "none", // they stand in THIRD_PARTY_LICENSES.txt
  metafile: true,
  logLevel: "warning",
});

const bytes = Object.values(metafile.outputs).reduce((sum, file) => sum + file.bytes, 0);
if (bytes > MAX_BYTES) throw new Error(`The bundle has ${bytes} bytes; ${MAX_BYTES} are allowed.`);

/** @param {string} name */
function licenseOf(name) {
  const folder = join(here, "node_modules", name);
  const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name} is bundled but has no licence file.`);
  return `${about.name} ${about.version} (${about.license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
}

const inputs = Object.keys(metafile.inputs);
const names = inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
const licenses = [...new Set(names)].sort().map(licenseOf);
writeFileSync(join(output, "THIRD_PARTY_LICENSES.txt"), licenses.join(`\n${"-".repeat(80)}\n\n`));
console.log(`${output}: ${bytes} bytes`);
