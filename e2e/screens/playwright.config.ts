import { defineConfig } from "@playwright/test";
import tests from "../playwright.config";

/** Takes the pictures of `docs/screens`, and measures the first load; `npm run screens`. */
export default defineConfig({
  ...tests,
  testDir: ".",
  outputDir: "../results/screens",
  // One after the other: what is measured should not compete with what is painted.
  workers: 1,
  timeout: 900_000,
});
