import { gzipSync } from "node:zlib";
import { expect, signIn, test } from "./harness/fixtures";

/** What a first visit may load of scripts, as it goes over the wire. */
const SCRIPT_KB = 250;

test("the first load brings little script, and what other pages need comes with them", async ({ page, leadline }) => {
  let bytes = 0;
  page.on("response", async (response) => {
    if (!/\.js$/.test(new URL(response.url()).pathname)) return;
    bytes += gzipSync(await response.body()).length;
  });

  await signIn(page, leadline);
  await expect(page.locator("[data-card]").first()).toBeVisible();
  await page.waitForLoadState("load");

  expect(bytes).toBeGreaterThan(0);
  expect(bytes / 1_000).toBeLessThan(SCRIPT_KB);
});
