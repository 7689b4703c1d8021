// Bundles src/main.ts into the one file that the server answers as GET /embed.js.
import { build } from "esbuild";
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const outfile = new URL("dist/embed.js", import.meta.url);

await build({
  entryPoints: [new URL("src/main.ts", import.meta.url).pathname],
  outfile: outfile.pathname,
  bundle: true,
  format: "iife",
  target: "es2019",
  minify: true,
  legalComments: "none",
  charset: "utf8",
});

// Every visitor of every customer's website pays for a byte here.
const BUDGET = 5 * 1024;

const bytes = await readFile(outfile);
const weight = gzipSync(bytes, { level: 9 }).length;
console.log(`dist/embed.js: ${bytes.length} bytes, ${weight} gzipped of ${BUDGET} allowed`);
if (weight > BUDGET) process.exitCode = 1;
