import type { Page } from "@playwright/test";
import { expect, signIn, test } from "./harness/fixtures";

/** What may come over the wire before somebody who signs in sees the first card. */
const SCRIPT_KB = 200;
const STYLE_KB = 32;

interface Loaded {
  script: number;
  style: number;
}

/** Remembers when the first card was there: what is fetched from then on is in nobody's way. */
const markFirstCard = () => {
  performance.setResourceTimingBufferSize(2_000);
  new MutationObserver((_, observer) => {
    if (!document.querySelector("[data-card]")) return;
    performance.mark("first-card");
    observer.disconnect();
  }).observe(document, { childList: true, subtree: true });
};

/** Everything that was asked for before the first card, compressed as it came, in kilobytes. */
async function loadedBeforeFirstCard(page: Page): Promise<Loaded> {
  return page.evaluate(() => {
    const [card] = performance.getEntriesByName("first-card");
    const before = performance
      .getEntriesByType("resource")
      .filter((entry): entry is PerformanceResourceTiming => entry.startTime <= (card?.startTime ?? 0));
    const sum = (ending: string) =>
      before.filter(({ name }) => new URL(name).pathname.endsWith(ending)).reduce((kb, entry) => kb + entry.encodedBodySize / 1_000, 0);
    return { script: sum(".js"), style: sum(".css") };
  });
}

test("the first load brings little, and what other pages need comes with them", async ({ page, leadline }) => {
  await page.addInitScript(markFirstCard);

  await signIn(page, leadline);
  await expect(page.locator("[data-card]").first()).toBeVisible();

  const { script, style } = await loadedBeforeFirstCard(page);
  expect(script).toBeGreaterThan(0);
  expect(style).toBeGreaterThan(0);
  expect(script).toBeLessThan(SCRIPT_KB);
  expect(style).toBeLessThan(STYLE_KB);
});

/** Waits until no further script has come for a while. */
async function settledScripts(page: Page): Promise<void> {
  const count = () => page.evaluate(() => performance.getEntriesByType("resource").filter(({ name }) => /\.js$/.test(name)).length);
  let before = -1;
  await expect
    .poll(
      async () => {
        const now = await count();
        const isSettled = now === before;
        before = now;
        return isSettled;
      },
      { intervals: [1_500] },
    )
    .toBe(true);
}

test("what the first load leaves out is there before it is asked for", async ({ page, leadline }) => {
  await signIn(page, leadline);
  await page.locator("[data-card]").first().waitFor();
  await settledScripts(page);
  const asked: string[] = [];
  page.on("request", (request) => {
    if (/\.(js|css)$/.test(new URL(request.url()).pathname)) asked.push(request.url());
  });

  await page.locator("[data-card]").first().click();
  await expect(page.getByLabel("New note")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByLabel("New note")).toHaveCount(0);
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  await expect(page.getByRole("menuitem", { name: "Assigned to" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Filter", exact: true })).toBeFocused();

  expect(asked).toEqual([]);
});
