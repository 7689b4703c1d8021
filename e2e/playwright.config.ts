import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "browser",
  // Every test starts a server of its own, and the machine may have two cores.
  workers: 2,
  fullyParallel: true,
  retries: 0,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  reporter: "list",
  outputDir: "results/browser",
  use: {
    viewport: { width: 1440, height: 900 },
    // Without these a page that never comes would wait for the whole test.
    actionTimeout: 20_000,
    navigationTimeout: 20_000,
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"],
    },
  },
});
