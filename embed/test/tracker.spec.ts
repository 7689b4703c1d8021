import type { Page } from "@playwright/test";
import { CONTACT_FORM, expect, fillAndSend, open, test } from "./fixtures";

const LONG_PAGE = `<div style="height:3000px">A long page</div><button type="button">Look</button>`;

/** Calls the script as the website does. */
function leadline(page: Page, ...args: unknown[]): Promise<void> {
  return page.evaluate((all) => (window as unknown as { leadline: (...args: unknown[]) => void }).leadline(...all), args);
}

/** Shows or hides the page as another tab in front of it does. */
function turn(page: Page, state: "visible" | "hidden"): Promise<void> {
  return page.evaluate((now) => {
    Object.defineProperty(document, "visibilityState", { value: now, configurable: true });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  }, state);
}

/** Other than `fastForward`, it lets every beat come. */
const pass = (page: Page, ms: number) => page.clock.runFor(ms);

test("a visit is told page by page: how long, how far, how often", async ({ page, site, leadline }) => {
  await page.clock.install({ time: new Date("2026-01-05T09:00:00Z") });
  const first = site.serve(LONG_PAGE, { path: "/offer" });
  const second = site.serve(CONTACT_FORM, { path: "/contact" });
  await open(page, `${first}?utm_source=ads`);
  await pass(page, 40_000);
  await page.mouse.wheel(0, 1_200);
  await expect.poll(() => page.evaluate(() => scrollY)).toBe(1_200);
  await page.getByRole("button", { name: "Look" }).click();
  const bottom = await page.evaluate(() => document.documentElement.scrollHeight - innerHeight);

  await open(page, second);

  await expect.poll(() => leadline.reports.at(-1)?.pages[0]?.url).toBe(second);
  const of = (url: string) => leadline.reports.filter(({ pages }) => pages[0]?.url.startsWith(url));
  const before = of(first).at(-1);
  expect(before).toMatchObject({ path: "/t/site-1", contentType: "text/plain;charset=UTF-8" });
  expect(before?.pages).toHaveLength(1);
  const [seen] = before?.pages ?? [];
  expect(seen?.url).toBe(`${first}?utm_source=ads`);
  // What the test itself takes comes on top.
  expect(seen?.ms).toBeGreaterThanOrEqual(40_000);
  expect(seen?.ms).toBeLessThan(60_000);
  expect(seen?.clicks).toBe(1);
  expect(seen?.scroll).toBeGreaterThanOrEqual(Math.round((100 * 1_200) / bottom));
  // One visit, whatever page it is on.
  expect(new Set(leadline.reports.map(({ visitor, session }) => visitor + session)).size).toBe(1);
});

test("a page that nobody looks at counts no time, and one that sleeps counts none either", async ({ page, site, leadline }) => {
  await page.clock.install({ time: new Date("2026-01-05T09:00:00Z") });
  await open(page, site.serve(LONG_PAGE));
  await pass(page, 10_000);

  await turn(page, "hidden");
  await pass(page, 600_000);
  await turn(page, "visible");
  await pass(page, 5_000);
  await page.clock.fastForward(1_200_000);
  await turn(page, "hidden");

  await expect.poll(() => leadline.reports.at(-1)?.pages[0]?.ms).toBeGreaterThan(15_000);
  expect(leadline.reports.at(-1)?.pages[0]?.ms).toBeLessThan(40_000);
});

test("routes of an application are pages, fragments are none", async ({ page, site, leadline }) => {
  const url = site.serve(LONG_PAGE, { path: "/app" });
  await open(page, url);

  await page.evaluate(() => {
    history.pushState({}, "", "/app/one");
    history.replaceState({}, "", "/app/one#part");
    location.hash = "#other";
    history.pushState({}, "", "/app#/two");
    history.back();
  });
  await page.waitForURL("**/app/one#other");
  await turn(page, "hidden");

  await expect.poll(() => leadline.reports.at(-1)?.pages.map((view) => new URL(view.url).pathname + new URL(view.url).hash)).toEqual([
    "/app",
    "/app/one",
    "/app#/two",
    "/app/one",
  ]);
});

test("a form that is sent tells of the visit before it is posted", async ({ page, site, leadline }) => {
  await open(page, site.serve(CONTACT_FORM));
  await fillAndSend(page);

  const { fields } = await leadline.post();
  await expect.poll(() => leadline.reports.at(-1)?.pages[0]?.clicks).toBeGreaterThan(0);
  expect(leadline.reports.at(-1)).toMatchObject({ visitor: fields.__visitor_id, session: fields.__session_id });
});

test("after 30 quiet minutes it is another visit, which begins at nothing", async ({ page, site, leadline }) => {
  await page.clock.install({ time: new Date("2026-01-05T09:00:00Z") });
  await open(page, site.serve(LONG_PAGE));
  await page.getByRole("button", { name: "Look" }).click();
  await turn(page, "hidden");

  await page.clock.fastForward("31:00");
  await turn(page, "visible");

  await expect.poll(() => new Set(leadline.reports.map(({ session }) => session)).size).toBe(2);
  const [first, last] = [leadline.reports[0], leadline.reports.at(-1)];
  expect(last?.visitor).toBe(first?.visitor);
  expect(last?.pages).toMatchObject([{ clicks: 0, scroll: 0 }]);
});

test("where storage is denied visits are told of, each page's as another visitor's", async ({ page, site, leadline }) => {
  await page.addInitScript(() => {
    Object.defineProperty(window, "localStorage", {
      get() {
        throw new DOMException("denied", "SecurityError");
      },
    });
  });
  const url = site.serve(CONTACT_FORM);
  await open(page, url);
  await open(page, url);
  await fillAndSend(page);

  const { fields } = await leadline.post();
  await expect.poll(() => leadline.reports.at(-1)?.visitor).toBe(fields.__visitor_id);
  expect(new Set(leadline.reports.map(({ visitor }) => visitor)).size).toBe(2);
});

for (const [signal, value] of [["globalPrivacyControl", true], ["doNotTrack", "1"]] as const) {
  test(`${signal} means no report, whatever the page consents to`, async ({ page, site, leadline: server }) => {
    await page.addInitScript(([name, set]) => Object.defineProperty(navigator, String(name), { value: set }), [signal, value]);
    await open(page, site.serve(LONG_PAGE + CONTACT_FORM));

    await leadline(page, "consent", true);
    await page.getByRole("button", { name: "Look" }).click();
    await fillAndSend(page);
    await server.post();
    await turn(page, "hidden");
    await open(page, site.serve(CONTACT_FORM, { path: "/next" }));
    await fillAndSend(page);

    await server.post(2);
    expect(server.reports).toEqual([]);
  });
}

test("nothing is counted before consent where it is required, nor after it is withdrawn", async ({ page, site, leadline: server }) => {
  await open(page, site.serve(LONG_PAGE + CONTACT_FORM, { tag: `data-consent="required"` }));
  const look = page.getByRole("button", { name: "Look" });
  await look.click();
  await look.click();
  await turn(page, "hidden");
  await turn(page, "visible");
  await fillAndSend(page);
  await server.post();
  expect(server.reports).toEqual([]);

  await leadline(page, "consent", true);
  await look.click();
  await turn(page, "hidden");
  await expect.poll(() => server.reports.at(-1)?.pages[0]?.clicks).toBe(1);
  await turn(page, "visible");
  await leadline(page, "consent", false);
  const heard = server.reports.length;
  await look.click();
  await turn(page, "hidden");
  await fillAndSend(page, "Grace");

  await server.post(2);
  expect(server.reports).toHaveLength(heard);
});

test("a browser without beacons sends its forms all the same", async ({ page, site, leadline, faults }) => {
  await page.addInitScript(() => Object.defineProperty(navigator, "sendBeacon", { value: undefined }));
  await open(page, site.serve(CONTACT_FORM));

  await fillAndSend(page);

  expect((await leadline.post()).fields.name).toBe("Ada Lovelace");
  expect(faults).toEqual([]);
});

test("a page's own history keeps working, and its errors stay its own", async ({ page, site, faults }) => {
  await open(page, site.serve(LONG_PAGE));

  const seen = await page.evaluate(() => {
    history.pushState({ step: 1 }, "", "/step");
    try {
      history.pushState({}, "", "https://elsewhere.example/");
      return "no error";
    } catch (error) {
      return [history.state.step, location.pathname, (error as Error).name];
    }
  });

  expect(seen).toEqual([1, "/step", "SecurityError"]);
  expect(faults).toEqual([]);
});
