/** A website of two pages, a visitor who comes by an ad, and what the lead shows of it. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "@playwright/test";
import { Api, expect, signIn, test } from "./harness/fixtures";
import type { Leadline } from "./harness/server";

/** A headless browser is suspicious by its name alone. */
const PERSON = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

interface Lead {
  id: string;
  engagement: number | null;
  engagementLabel: string | null;
  engagementReasons: { code: string; points: number }[];
  sessionDurationSeconds: number | null;
  maxScrollPercent: number | null;
  clickCount: number | null;
  pagesVisited: number | null;
  returnVisits: number | null;
  suspicionReasons: { code: string }[];
  firstTouch: Record<string, unknown> | null;
  lastTouch: Record<string, unknown> | null;
  touches: Record<string, unknown>[];
}

interface Visit {
  pages: { url: string; seconds: number; scrollPercent: number; clickCount: number }[];
  touch: Record<string, unknown>;
}

/** The website: a long page that links to one with a form. */
async function website(script: string, form: string): Promise<{ origin: string; server: Server }> {
  const pages: Record<string, string> = {
    "/": `<h1>Offer</h1><div style="height:4000px">Much to read</div><button type="button">Show more</button><a href="/contact">Contact</a>`,
    "/contact": `<form action="${form}" method="post"><label>Name <input name="name"></label>
      <label>Email <input name="email"></label><button>Send</button></form>`,
  };
  const server = createServer((request, response) => {
    const body = pages[new URL(String(request.url), "http://site").pathname];
    const html = `<!doctype html><html lang="en"><head><title>Shop</title>${script}</head><body>${body}</body></html>`;
    response.writeHead(body ? 200 : 404, { "Content-Type": "text/html; charset=utf-8" }).end(html);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

/** The website, known to the server as one of its sites, and its form. */
async function furnish(api: Api, leadline: Leadline) {
  const { key: formKey } = await api.post<{ key: string }>("/v1/capture/forms", { name: "Contact" });
  const { id, snippet } = await api.post<{ id: string; snippet: string }>("/v1/capture/sites", { name: "Shop", allowedOrigins: [] });
  // The snippet names the address by which the server is known; the test reaches it by its own.
  const script = snippet.replace(/src="[^"]*\/embed\.js"/, `src="${leadline.origin}/embed.js"`);
  const shop = await website(script, `${leadline.origin}/f/${formKey}`);
  await api.patch(`/v1/capture/sites/${id}`, { allowedOrigins: [shop.origin] });
  return shop;
}

const isTracked = (page: Page) => page.waitForRequest((request) => new URL(request.url()).pathname.startsWith("/t/"));

async function readAll(page: Page): Promise<void> {
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  await page.waitForFunction(() => scrollY > 0 && scrollY + innerHeight >= document.documentElement.scrollHeight - 1);
}

test("a lead shows the visits that led to it, and a further visit raises its engagement", async ({ browser, leadline }) => {
  const desk = await browser.newContext();
  const dashboard = await desk.newPage();
  await signIn(dashboard, leadline);
  const api = await Api.of(desk, leadline);
  const shop = await furnish(api, leadline);
  const visitor = await browser.newContext({ userAgent: PERSON });
  const page = await visitor.newPage();
  await page.clock.install({ time: new Date(Date.now() - 3_600_000) });

  // First page: reads all of it for 40 seconds and looks for more.
  const opened = isTracked(page);
  await page.goto(`${shop.origin}/?utm_source=ads&utm_medium=cpc&utm_campaign=spring&gclid=G1`, { referer: "https://search.example/" });
  await opened;
  await page.clock.runFor(40_000);
  await readAll(page);
  await page.getByRole("button", { name: "Show more" }).click();
  await page.getByRole("link", { name: "Contact" }).click();
  // Second page: the form, after 20 more.
  await page.locator("[name=__pg_hp]").waitFor({ state: "attached" });
  await page.clock.runFor(20_000);
  await page.getByLabel("Name").fill("Ada Lovelace");
  await page.getByLabel("Email").fill("ada@shop.example");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page.getByText("Thank you")).toBeVisible();

  const lead = async () => {
    const { data } = await api.get<{ data: { id: string; email: string | null }[] }>("/v1/identity/leads?limit=20");
    return api.get<Lead>(`/v1/identity/leads/${data.find(({ email }) => email === "ada@shop.example")?.id}`);
  };
  // What the visitor sees and what is written of the visit are a moment apart.
  await expect.poll(async () => (await lead()).sessionDurationSeconds).toBeGreaterThanOrEqual(60);
  const first = await lead();
  expect(first).toMatchObject({ pagesVisited: 2, returnVisits: 0, maxScrollPercent: 100, suspicionReasons: [] });
  expect(first.sessionDurationSeconds).toBeLessThan(120);
  expect(first.clickCount).toBeGreaterThanOrEqual(3);
  const parts = Object.fromEntries(first.engagementReasons.map(({ code, points }) => [code, points]));
  expect(parts).toEqual({
    duration: Math.floor(Number(first.sessionDurationSeconds) / 10),
    scroll: 30,
    clicks: first.clickCount,
  });
  expect(first.engagement).toBe(Object.values(parts).reduce((sum, points) => sum + points, 0));
  const ad = { utmSource: "ads", utmMedium: "cpc", utmCampaign: "spring", clickIds: { gclid: "G1" } };
  expect(first.firstTouch).toMatchObject(ad);
  expect(first.lastTouch).toMatchObject(ad);
  const visits = await api.get<{ data: Visit[] }>(`/v1/identity/leads/${first.id}/sessions`);
  expect(visits.data).toHaveLength(1);
  expect(visits.data[0]?.touch).toMatchObject({ ...ad, referrer: "https://search.example/" });
  expect(visits.data[0]?.pages.map(({ url }) => url)).toEqual([`${shop.origin}/`, `${shop.origin}/contact`]);
  expect(visits.data[0]?.pages[0]?.seconds).toBeGreaterThanOrEqual(40);
  expect(visits.data[0]?.pages[0]?.scrollPercent).toBe(100);

  // They close it, and come back by a newsletter three quarters of an hour later.
  await page.close();
  await visitor.clock.fastForward("45:00");
  const later = await visitor.newPage();
  const returned = isTracked(later);
  await later.goto(`${shop.origin}/?utm_source=newsletter`);
  await returned;

  await expect.poll(async () => (await lead()).returnVisits).toBe(1);
  const second = await lead();
  expect(second.engagementReasons).toContainEqual({ code: "returns", points: 5 });
  expect(second.engagement).toBeGreaterThanOrEqual(Number(first.engagement) + 5);
  expect(second.firstTouch).toEqual(first.firstTouch);
  await dashboard.goto(`${leadline.origin}/leads/${first.id}`);
  const score = dashboard.getByRole("region", { name: "Score", exact: true });
  await expect(score).toContainText(`Engagement ${second.engagement} of 100: ${second.engagementLabel?.toLowerCase()}`);
  await expect(score).toContainText("Came back to your site");
  const journey = dashboard.getByRole("region", { name: "Where it came from" });
  await expect(journey).toContainText("2 visits");
  await expect(journey).toContainText("All 2 touches");
  await expect(journey.getByText("from newsletter")).toHaveCount(2);
  await expect(journey.getByText("sent the form")).toHaveCount(1);
  await expect(journey.getByRole("list", { name: "Pages" }).last().getByRole("listitem")).toHaveCount(2);
  await dashboard.screenshot({ path: "results/browser/lead-with-visits.png", fullPage: true });
  shop.server.close();
});
