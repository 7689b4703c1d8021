// Finds dependencies that a Cargo.toml names and no source file of that package mentions, and workspace dependencies
// that no package takes.   node scripts/unused-dependencies.mjs
// It reads text, so a name in a comment passes for a use: it may miss one, it never accuses a used one.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

/** Names in the dependency tables of a manifest. */
export function dependencies(manifest) {
  const names = [];
  let inside = false;
  for (const line of manifest.split("\n")) {
    if (line.startsWith("[")) inside = /^\[(workspace\.)?((dev|build)-)?dependencies\]/.test(line);
    const name = inside && line.match(/^([A-Za-z0-9_-]+)(\.workspace)?\s*=/);
    if (name) names.push(name[1]);
  }
  return [...new Set(names)];
}

function sources(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ["target", "node_modules"].includes(entry.name) ? [] : sources(path);
    return entry.name.endsWith(".rs") ? [readFileSync(path, "utf8")] : [];
  });
}

const folders = [...readdirSync("crates").map((name) => join("crates", name)), "bench"];
const taken = new Set();
const problems = [];
for (const folder of folders.filter((path) => statSync(path).isDirectory())) {
  const text = sources(folder).join("\n");
  for (const name of dependencies(readFileSync(join(folder, "Cargo.toml"), "utf8"))) {
    taken.add(name);
    if (!new RegExp(`\\b${name.replaceAll("-", "_")}\\b`).test(text)) problems.push(`${folder}/Cargo.toml: ${name} is not used`);
  }
}
for (const name of dependencies(readFileSync("Cargo.toml", "utf8"))) {
  if (!taken.has(name)) problems.push(`Cargo.toml: no package takes ${name}`);
}
for (const line of problems) console.error(line);
console.log(`dependencies: ${taken.size} in use, ${problems.length} unused`);
process.exitCode = problems.length > 0 ? 1 : 0;
