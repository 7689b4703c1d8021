// Adds up what the test runners said:   node scripts/tally.mjs LOG...
// Reads the closing lines of cargo-nextest, cargo test, Vitest, Playwright and node's own runner, and prints one line.
import { readFileSync } from "node:fs";

const total = { passed: 0, failed: 0, skipped: 0 };

/** Counts of one line, or null where it is not a closing line. Each runner words its own. */
export function closingLine(line) {
  const words = (name) => Number(line.match(new RegExp(`(\\d+) ${name}`))?.[1] ?? 0);
  const nextest = /^\s*Summary \[.*\] +\d+(\/\d+)? tests? run:/.test(line);
  const cargo = /^test result: (ok|FAILED)\./.test(line);
  const vitest = /^\s*Tests {2}.*\(\d+\)\s*$/.test(line);
  if (nextest || cargo || vitest) {
    return {
      passed: words("passed"),
      failed: words("failed") + words("timed out"),
      skipped: words("skipped") + words("ignored") + words("todo"),
    };
  }
  const single = line.match(/^ {2}(\d+) (passed|failed|skipped|flaky|did not run|interrupted)\b(?: \([\d.]+(?:ms|s|m|h)\))?$/);
  if (single) {
    const field = { passed: "passed", flaky: "passed", skipped: "skipped" }[single[2]] ?? "failed";
    return { passed: 0, failed: 0, skipped: 0, [field]: Number(single[1]) };
  }
  const node = line.match(/^(?:#|ℹ) (pass|fail|skipped|todo) (\d+)$/);
  if (node) {
    const field = { pass: "passed", fail: "failed" }[node[1]] ?? "skipped";
    return { passed: 0, failed: 0, skipped: 0, [field]: Number(node[2]) };
  }
  return null;
}

for (const path of process.argv.slice(2)) {
  // eslint-disable-next-line no-control-regex
  const plain = readFileSync(path, "utf8").replace(/\u001b\[[0-9;]*m/g, "");
  for (const line of plain.split(/\r?\n/)) {
    const counts = closingLine(line);
    if (counts) for (const field of Object.keys(total)) total[field] += counts[field];
  }
}
console.log(`tests: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
