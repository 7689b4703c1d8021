// Bundles what the server answers as GET /embed.js and, with a widget's settings put in, as GET /w/WIDGETID.js.
import { build } from "esbuild";
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

// Every visitor of every customer's website pays for a byte here.
const SCRIPTS = [
  { name: "embed.js", entry: "src/main.ts", budget: 5 * 1024 },
  { name: "widget.js", entry: "src/widget/main.ts", budget: 5 * 1024 },
];

for (const { name, entry, budget } of SCRIPTS) {
  const outfile = new URL(`dist/${name}`, import.meta.url);
  await build({
    entryPoints: [new URL(entry, import.meta.url).pathname],
    outfile: outfile.pathname,
    bundle: true,
    format: "iife",
    target: "es2020",
    minify: true,
    legalComments: "none",
    charset: "utf8",
  });
  const bytes = await readFile(outfile);
  const weight = gzipSync(bytes, { level: 9 }).length;
  console.log(`dist/${name}: ${bytes.length} bytes, ${weight} gzipped of ${budget} allowed`);
  if (weight > budget) process.exitCode = 1;
}
