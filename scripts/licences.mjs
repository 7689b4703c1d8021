// Checks that everything Leadline is built from may be used under the licences that deny.toml allows.
//   node scripts/licences.mjs
// Rust: every package that `cargo metadata` resolves for Linux. npm: every package that package-lock.json of `web` and
// `embed` installs for use in the browser (tools that only build are free to carry other licences: they are not shipped).
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const list = readFileSync("deny.toml", "utf8").match(/^allow = \[([^]*?)^\]/m)[1];
const allowed = new Set([...list.matchAll(/^\s*"([^"]+)"/gm)].map((match) => match[1]));

/** Whether an SPDX expression can be satisfied with allowed licences alone. `AND` binds tighter than `OR`. */
export function permits(expression, allow) {
  // Older crates write "MIT/Apache-2.0" for "or".
  const tokens = expression.replaceAll("/", " OR ").match(/\(|\)|[^\s()]+/g) ?? [];
  let at = 0;
  const any = () => {
    let result = all();
    while (tokens[at] === "OR") {
      at += 1;
      result = all() || result;
    }
    return result;
  };
  const all = () => {
    let result = one();
    while (tokens[at] === "AND") {
      at += 1;
      result = one() && result;
    }
    return result;
  };
  const one = () => {
    const token = tokens[at++];
    if (token === "(") {
      const result = any();
      at += 1;
      return result;
    }
    if (tokens[at] === "WITH") {
      at += 2;
      return allow.has(`${token} WITH ${tokens[at - 1]}`);
    }
    return allow.has(token);
  };
  return any() && at === tokens.length;
}

const bad = [];
let count = 0;
const look = (name, licence) => {
  count += 1;
  if (!licence || !permits(licence, allowed)) bad.push(`${name}: ${licence ?? "no licence named"}`);
};

const metadata = execFileSync(
  "cargo",
  ["metadata", "--locked", "--format-version", "1", "--filter-platform", "x86_64-unknown-linux-gnu"],
  { maxBuffer: 256 * 1024 * 1024, stdio: ["ignore", "pipe", "inherit"] },
);
const { packages, resolve } = JSON.parse(metadata);
// Packages that only other platforms use are listed, too; the resolved graph leaves them out.
const resolved = new Set(resolve.nodes.map((node) => node.id));
for (const crate of packages) if (resolved.has(crate.id)) look(`crate ${crate.name} ${crate.version}`, crate.license);

for (const folder of ["web", "embed"]) {
  const path = `${folder}/package-lock.json`;
  if (!existsSync(path)) continue;
  for (const [where, entry] of Object.entries(JSON.parse(readFileSync(path, "utf8")).packages)) {
    if (where === "" || entry.dev || entry.devOptional || entry.link) continue;
    look(`npm ${where.replace(/^.*node_modules\//, "")} ${entry.version} (${folder})`, entry.license);
  }
}

for (const line of bad) console.error(`licence not in deny.toml: ${line}`);
console.log(`licences: ${count} packages, ${bad.length} refused`);
process.exitCode = bad.length > 0 ? 1 : 0;
