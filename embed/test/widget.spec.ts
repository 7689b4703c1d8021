import type { Page } from "@playwright/test";
import { expect, queued, test as base } from "./fixtures";

const SETTINGS = {
  phoneNumber: "+491701234567",
  nameField: true,
  color: "#25d366",
  position: "right",
  greeting: "How can we help?",
  consentText: "We use your number to answer you.",
};
const TAG = `<script async src="HOST/w/w1.js"></script>`;
const ANSWER = { redirectUrl: "https://wa.me/491701234567?text=Hi%0A%0ARef%20LD-7F3KQM" };

/** Tests look into the shadow root, which is closed for pages; WhatsApp itself is never reached. */
const test = base.extend<{ prepared: undefined; opened: string[] }>({
  prepared: [
    async ({ page, leadline }, use) => {
      leadline.widgetSettings = SETTINGS;
      leadline.accepts(ANSWER);
      await page.addInitScript(() => {
        const attach = Element.prototype.attachShadow;
        Element.prototype.attachShadow = function (init) {
          return attach.call(this, { ...init, mode: "open" });
        };
      });
      await use(undefined);
    },
    { auto: true },
  ],
  opened: async ({ page }, use) => {
    const opened: string[] = [];
    await page.route("https://wa.me/**", (route) => {
      opened.push(route.request().url());
      return route.fulfill({ contentType: "text/html", body: "<!doctype html><title>WhatsApp</title><h1>WhatsApp</h1>" });
    });
    await use(opened);
  },
});

const opener = (page: Page) => page.getByRole("button", { name: "Chat on WhatsApp" });

async function fill(page: Page, phone = "+44 20 7946 0001"): Promise<void> {
  await opener(page).click();
  await page.getByLabel("Name").fill("Ada Lovelace");
  await page.getByLabel("Phone").fill(phone);
  await page.getByLabel("Message").fill("Is it in stock?");
}

const send = (page: Page) => page.getByRole("button", { name: "Continue on WhatsApp" }).click();

test("a visitor writes, is captured and goes on to WhatsApp", async ({ page, site, leadline, faults, opened }) => {
  const url = site.serve(`<h1>Shop</h1>${TAG}`, { tag: null, path: "/pricing" });
  await page.goto(url);

  await fill(page);
  await send(page);

  await expect(page.getByRole("heading", { name: "WhatsApp" })).toBeVisible();
  const { path, contentType, fields } = await leadline.post();
  expect(path).toBe("/w/w1/captures");
  expect(contentType).toBe("text/plain;charset=UTF-8");
  expect(fields).toMatchObject({ name: "Ada Lovelace", phone: "+44 20 7946 0001", message: "Is it in stock?", pageUrl: url });
  expect(fields.submissionId).toMatch(/^[0-9a-f-]{36}$/);
  expect(Number(fields.__pg_tts)).toBeGreaterThan(0);
  expect(opened).toEqual([ANSWER.redirectUrl]);
  expect(leadline.preflights).toBe(0);
  expect(faults).toEqual([]);
});

test("the dialog is one for the keyboard and for screen readers", async ({ page, site, faults }) => {
  await page.goto(site.serve(`<a href="#x">A link</a>${TAG}`, { tag: null }));
  await opener(page).focus();

  await page.keyboard.press("Enter");

  await expect(page.getByRole("dialog", { name: "How can we help?" })).toBeVisible();
  await expect(page.getByLabel("Name")).toBeFocused();
  await expect(page.getByText("We use your number to answer you.")).toBeVisible();
  const reached = new Set<string>();
  for (let press = 0; press < 8; press++) {
    await page.keyboard.press("Tab");
    reached.add(
      await page.evaluate(() => {
        let active = document.activeElement;
        while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
        if (active === document.body) return "";
        return active?.closest("label")?.textContent || active?.getAttribute("aria-label") || active?.textContent?.slice(0, 30) || "";
      }),
    );
  }
  // Nothing of the page behind it, and not the field that traps robots.
  for (const name of ["Name", "Phone", "Message", "Continue on WhatsApp", "Close"]) expect([...reached]).toContain(name);
  expect([...reached]).not.toContain("A link");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
  await expect(opener(page)).toBeFocused();
  expect(faults).toEqual([]);
});

test("a number is asked for before anything is sent", async ({ page, site, leadline }) => {
  await page.goto(site.serve(TAG, { tag: null }));

  await fill(page, "call me");
  await send(page);

  await expect(page.getByLabel("Phone")).toBeFocused();
  expect(await page.getByLabel("Phone").evaluate((field: HTMLInputElement) => field.validity.patternMismatch)).toBe(true);
  expect(leadline.received).toEqual([]);
});

test("what the server refuses is said, and the words stay", async ({ page, site, leadline }) => {
  leadline.refuses();
  await page.goto(site.serve(TAG, { tag: null }));

  await fill(page);
  await send(page);

  await expect(page.getByRole("status")).toHaveText("Give a name, an email address or a phone number.");
  await expect(page.getByLabel("Message")).toHaveValue("Is it in stock?");
  expect(await queued(page)).toEqual([]);
});

test("without a name field and a consent text there is neither", async ({ page, site, leadline, opened }) => {
  leadline.widgetSettings = { ...SETTINGS, nameField: false, consentText: null };
  await page.goto(site.serve(TAG, { tag: null }));

  await opener(page).click();
  await expect(page.getByLabel("Name")).toHaveCount(0);
  await page.getByLabel("Phone").fill("+442079460001");
  await send(page);

  await expect(page.getByRole("heading", { name: "WhatsApp" })).toBeVisible();
  expect(Object.keys((await leadline.post()).fields)).not.toContain("name");
  expect(opened).toHaveLength(1);
});

test("while the server is away it is kept over a reload, and sent once", async ({ page, site, leadline, opened }) => {
  await page.goto(site.serve(TAG, { tag: null }));
  leadline.isDown();
  await fill(page);
  await send(page);

  await expect(page.getByRole("status")).toContainText("Your message is kept and will be sent");
  await expect(page.getByRole("link", { name: "Open WhatsApp" })).toHaveAttribute("href", "https://wa.me/491701234567");
  const [first] = leadline.received;
  expect(await queued(page)).toHaveLength(1);
  leadline.accepts(ANSWER);
  const before = leadline.received.length;
  await page.reload();
  const again = await leadline.post(before + 1);

  expect(again.fields.submissionId).toBe(first?.fields.submissionId);
  expect(again.fields.message).toBe("Is it in stock?");
  await expect.poll(() => queued(page)).toEqual([]);
  expect(leadline.received).toHaveLength(before + 1);
  // Who was told to wait is not taken elsewhere all of a sudden.
  expect(opened).toEqual([]);
});

test("what the site's own script knows of the visit goes along", async ({ page, site, leadline, opened }) => {
  const first = { at: "2026-01-01T00:00:00.000Z", pageUrl: "https://shop.example.com/?utm_source=ad", utmSource: "ad" };
  const last = { at: "2026-01-02T00:00:00.000Z", pageUrl: "https://shop.example.com/b", utmSource: "mail", clickIds: { gclid: "g1" } };
  await page.addInitScript(
    (touches) => {
      localStorage.setItem("leadline.visitor", "visitor-1");
      localStorage.setItem("leadline.touches", touches);
    },
    JSON.stringify({ first, last }),
  );
  await page.goto(site.serve(TAG, { tag: null }));

  await fill(page);
  await send(page);

  const { fields } = await leadline.post();
  expect(fields).toMatchObject({ __visitor_id: "visitor-1", utmSource: "mail", gclid: "g1" });
  expect(JSON.parse(String(fields.__first_touch))).toEqual(first);
  expect(fields.pageUrl).toContain(site.origin);
  await expect.poll(() => opened.length).toBe(1);
});

test("nothing but WhatsApp is opened, whatever is answered", async ({ page, site, leadline, opened }) => {
  leadline.accepts({ redirectUrl: "javascript:alert(1)" });
  await page.goto(site.serve(TAG, { tag: null }));

  await fill(page);
  await send(page);

  await expect.poll(() => opened).toEqual(["https://wa.me/491701234567"]);
});

test("the script loaded twice shows one widget", async ({ page, site }) => {
  await page.goto(site.serve(TAG + TAG, { tag: null }));
  await page.waitForLoadState("load");

  await expect(opener(page)).toHaveCount(1);
});
