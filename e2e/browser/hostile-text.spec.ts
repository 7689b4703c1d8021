/**
 * Texts that others wrote to break out of a page, put into everything that a stranger can write, then shown on every
 * screen. Each text is a name, a company, a message, the key and the value of a custom field, a UTM parameter and a
 * referrer at least once.
 */

import type { Page } from "@playwright/test";
import { Api, expect, sharedCases, signIn, test } from "./harness/fixtures";
import { guard } from "./harness/guard";
import { visit as open } from "./harness/screens";
import type { Leadline } from "./harness/server";

const AT_ONCE = 24;
const CUSTOM_FIELDS_PER_LEAD = 30;
const PAGE_SIZE = 50;

const TEXTS = [...sharedCases("payloads/xss.json"), ...sharedCases("strings/blns.json")];
const text = (index: number) => String(TEXTS[index % TEXTS.length]);
/** The server takes names of up to 1,000 bytes. */
const fieldName = (index: number) => text(index).slice(0, 250);

interface List<T> {
  data: T[];
  total: number;
}

interface Identified {
  id: string;
}

test("no stored text ever runs, on any screen", async ({ browser, leadline }) => {
  test.setTimeout(600_000);
  const context = await browser.newContext();
  const api = await Api.of(context, leadline);
  const form = await api.post<{ id: string; key: string }>("/v1/capture/forms", { name: text(0).slice(0, 100) });
  const rich = await submitAll(leadline, form.key);
  const faults = await guard(context, leadline.origin);
  const page = await context.newPage();
  await signIn(page, leadline);

  await test.step("board", () => readBoard(page));
  await test.step("table", () => readTable(page, leadline.origin));
  await test.step("panel and lead page", () => readLeads(page, api, leadline.origin, rich));
  await test.step("deliveries", () => readDeliveries(page, api, leadline.origin));
  await test.step("other screens", () => readOthers(page, leadline.origin));
  await test.step("demo receiver", () => visit(page, `${leadline.origin}/demo/receiver`));

  expect(faults).toEqual([]);
});

test("the guard of the test above hears a script that wants to run", async ({ browser, leadline }) => {
  const context = await browser.newContext();
  const faults = await guard(context, leadline.origin);
  const page = await context.newPage();
  await open(page, `${leadline.origin}/sign-in`);

  await page.evaluate(() => {
    const image = document.createElement("img");
    image.setAttribute("onerror", "alert(1)");
    image.src = "https://elsewhere.example/";
    document.body.append(image);
    alert("called");
  });

  for (const fault of ["alert: called", "violation: script-src-attr", "violation: img-src"]) {
    await expect.poll(() => faults.join("\n")).toContain(fault);
  }
});

/** One lead per text, then leads whose custom fields and repeated submissions hold all texts. Answers the latter. */
async function submitAll({ origin }: Leadline, key: string): Promise<string[]> {
  const single = TEXTS.map((_, index) => ({
    name: text(index),
    company: text(index + 1),
    message: text(index + 2),
    title: text(index + 3),
    utm_source: text(index + 4),
    utm_campaign: text(index + 5),
    referrer: text(index + 6),
    page_url: text(index + 7),
    cta: text(index + 8),
    email: `single-${index}@example.com`,
  }));
  const rich: Record<string, string>[] = [];
  for (let start = 0; start < TEXTS.length; start += CUSTOM_FIELDS_PER_LEAD) {
    const fields: Record<string, string> = { name: `Rich ${start}`, email: `rich-${start}@example.com` };
    for (let index = start; index < start + CUSTOM_FIELDS_PER_LEAD; index++) fields[fieldName(index)] = text(index + 1);
    rich.push(fields);
  }
  await inParallel([...single, ...rich], async (fields) => {
    const answer = await fetch(`${origin}/f/${key}`, { method: "POST", headers: { Accept: "application/json" }, body: JSON.stringify(fields) });
    if (!answer.ok) throw new Error(`${answer.status} for ${JSON.stringify(fields)}: ${await answer.text()}`);
  });
  return rich.map(({ email }) => String(email));
}

async function inParallel<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of waiting) await work(item);
    }),
  );
}

/** Scrolls through the whole first column, where new leads land; it loads page after page. */
async function readBoard(page: Page): Promise<void> {
  const column = page.locator("[data-stage]").first();
  await column.locator("[data-card]").first().waitFor();
  await column.locator("ul").evaluate(async (list) => {
    const scroller = list.parentElement;
    if (!scroller) throw new Error("the column has no scroller");
    // A frame per screenful, until nothing more has come for a while.
    for (let idle = 0; idle < 60; ) {
      const before = scroller.scrollTop;
      scroller.scrollTop += scroller.clientHeight;
      await new Promise((done) => requestAnimationFrame(done));
      idle = scroller.scrollTop === before ? idle + 1 : 0;
    }
  });
}

async function readTable(page: Page, origin: string): Promise<void> {
  for (let number = 1; number <= Math.ceil(TEXTS.length / PAGE_SIZE) + 1; number++) {
    await visit(page, `${origin}/leads?page=${number}`);
    await expect(page.getByRole("row").filter({ hasText: /[<>"';]/ })).not.toHaveCount(0);
  }
}

async function readLeads(page: Page, api: Api, origin: string, emails: string[]): Promise<void> {
  for (const [index, email] of emails.entries()) {
    const found = await api.get<List<Identified>>(`/v1/identity/leads?search=${encodeURIComponent(email)}`);
    const id = String(found.data[0]?.id);
    await visit(page, index % 4 ? `${origin}/leads/${id}` : `${origin}/board?lead=${id}`);
    await expect(page.getByText(email).first()).toBeVisible();
    for (const button of await page.getByRole("button", { name: "All fields as sent" }).all()) await button.click();
  }
  for (let number = 1; number <= 10; number++) {
    const leads = await api.get<List<Identified>>(`/v1/identity/leads?limit=1&page=${number * 50}`);
    const id = String(leads.data[0]?.id);
    await visit(page, `${origin}/leads/${id}`);
  }
}

async function readDeliveries(page: Page, api: Api, origin: string): Promise<void> {
  const destinations = await api.get<List<Identified>>("/v1/delivery/destinations");
  for (const { id } of destinations.data) await visit(page, `${origin}/destinations/${id}`);
  const deliveries = await api.get<List<Identified>>("/v1/delivery/deliveries?limit=10");
  expect(deliveries.data.length).toBeGreaterThan(0);
  for (const { id } of deliveries.data) await visit(page, `${origin}/deliveries/${id}`);
}

async function readOthers(page: Page, origin: string): Promise<void> {
  const settings = ["workspace", "scoring", "fraud", "analysis", "users", "roles", "tokens", "sessions", "ledger"].map((tab) => `/settings/${tab}`);
  const screens = ["/sources", "/fraud", "/captures", "/destinations", "/contacts", "/contacts?page=2", ...settings];
  for (const screen of screens) await visit(page, origin + screen);
}

/** Nothing may run by itself, and nothing may wait for a click to run. */
async function visit(page: Page, url: string): Promise<void> {
  await open(page, url);
  await expect(page.locator("a[href^='javascript:' i], a[href^='data:' i], a[href^='vbscript:' i]")).toHaveCount(0);
}
