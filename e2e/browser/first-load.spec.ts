import { expect, signIn, test } from "./harness/fixtures";

/** What a first visit may load of scripts, as it goes over the wire. */
const SCRIPT_KB = 250;

test("the first load brings little script, and what other pages need comes with them", async ({ page, leadline }) => {
  let bytes = 0;
  page.on("requestfinished", async (request) => {
    if (/\.js$/.test(new URL(request.url()).pathname)) bytes += (await request.sizes()).responseBodySize;
  });

  await signIn(page, leadline);
  await expect(page.locator("[data-card]").first()).toBeVisible();
  await page.waitForLoadState("load");

  expect(bytes).toBeGreaterThan(0);
  expect(bytes / 1_000).toBeLessThan(SCRIPT_KB);
});
