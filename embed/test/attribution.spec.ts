import { CONTACT_FORM, expect, fillAndSend, open, test } from "./fixtures";

const AD = "?utm_source=ads&utm_medium=cpc&utm_campaign=spring&utm_term=crm&utm_content=blue&gclid=G1&msclkid=M1";

test("UTM parameters and click ids of the page are sent", async ({ page, site, leadline }) => {
  await open(page, site.serve(CONTACT_FORM) + AD);

  await fillAndSend(page);

  const { fields } = await leadline.post();
  expect(fields).toMatchObject({
    utm_source: "ads",
    utm_medium: "cpc",
    utm_campaign: "spring",
    utm_term: "crm",
    utm_content: "blue",
    gclid: "G1",
    msclkid: "M1",
  });
  expect(fields).not.toHaveProperty("__first_touch");
});

test("a touch survives navigation to a page without parameters", async ({ page, site, leadline }) => {
  await open(page, site.serve("landing", { path: "/landing" }) + AD);

  await open(page, site.serve(CONTACT_FORM, { path: "/contact" }));
  await fillAndSend(page);

  const { fields } = await leadline.post();
  expect(fields.utm_source).toBe("ads");
  expect(fields.gclid).toBe("G1");
  expect(fields.page_url).toBe(`${site.origin}/contact`);
});

test("the first touch travels beside a later one", async ({ page, site, leadline }) => {
  const landing = site.serve("landing", { path: "/landing" });
  await open(page, landing + AD);
  await open(page, `${landing}?utm_source=newsletter`);

  await open(page, site.serve(CONTACT_FORM, { path: "/contact" }));
  await fillAndSend(page);

  const { fields } = await leadline.post();
  expect(fields.utm_source).toBe("newsletter");
  expect(fields).not.toHaveProperty("gclid");
  expect(JSON.parse(String(fields.__first_touch))).toEqual({
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    pageUrl: landing + AD,
    utmSource: "ads",
    utmMedium: "cpc",
    utmCampaign: "spring",
    utmTerm: "crm",
    utmContent: "blue",
    clickIds: { gclid: "G1", msclkid: "M1" },
  });
});

test("a foreign referrer is a touch, a page of the same site is none", async ({ page, site, leadline }) => {
  site.serve("landing", { path: "/landing" });
  const contact = site.serve(CONTACT_FORM, { path: "/contact" });

  await page.goto(`${site.origin}/landing`, { referer: "https://search.example/?q=crm" });
  await page.waitForFunction(() => localStorage.getItem("leadline.touches"));
  await page.goto(contact, { referer: `${site.origin}/landing` });
  await page.locator("[name=__pg_hp]").waitFor({ state: "attached" });
  await fillAndSend(page);

  expect((await leadline.post()).fields.referrer).toMatch(/^https:\/\/search\.example\//);
});

test("the form's own UTM field wins over the script's, an empty one does not", async ({ page, site, leadline }) => {
  const form = CONTACT_FORM.replace("<button>", `<input type="hidden" name="utm_source" value="brochure"><input type="hidden" name="gclid"><button>`);
  await open(page, site.serve(form) + AD);

  await fillAndSend(page);

  expect((await leadline.post()).fields).toMatchObject({ utm_source: "brochure", gclid: "G1" });
});

test("one visitor keeps the id over pages; the session ends after 30 quiet minutes", async ({ page, site, leadline }) => {
  await page.clock.install({ time: new Date("2026-01-05T09:00:00Z") });
  const url = site.serve(CONTACT_FORM);
  const submit = async (name: string) => {
    await open(page, url);
    await fillAndSend(page, name);
    // Answered, or the leap in time would end the request.
    await expect(page.getByRole("status")).toHaveText(/has been sent/);
  };

  await submit("Ada");
  await page.clock.fastForward("20:00");
  await submit("Grace");
  await page.clock.fastForward("31:00");
  await submit("Edith");

  const [first, second, third] = leadline.received.map(({ fields }) => fields);
  expect(second?.__session_id).toBe(first?.__session_id);
  expect(third?.__session_id).not.toBe(first?.__session_id);
  expect(new Set([first?.__visitor_id, second?.__visitor_id, third?.__visitor_id]).size).toBe(1);
});

test("before a required consent nothing about the visitor is kept or sent; consent keeps this visit", async ({ page, site, leadline }) => {
  await open(page, site.serve(CONTACT_FORM, { tag: `data-consent="required"` }) + AD);

  await fillAndSend(page, "Ada");
  const before = (await leadline.post()).fields;
  await expect(page.getByRole("status")).toHaveText(/Thank you/);
  const kept = await page.evaluate(() => Object.keys(localStorage));
  await page.evaluate(() => (window as unknown as { leadline: (...args: unknown[]) => void }).leadline("consent", true));
  await fillAndSend(page, "Grace");
  const after = (await leadline.post(2)).fields;

  expect(kept).toEqual([]);
  expect(before).not.toHaveProperty("__visitor_id");
  expect(before).not.toHaveProperty("__session_id");
  expect(before.utm_source).toBe("ads");
  expect(after.__visitor_id).toBeTruthy();
  await expect.poll(() => page.evaluate(() => Object.keys(localStorage).sort())).toEqual(["leadline.session", "leadline.touches", "leadline.visitor"]);
});

test("consent withdrawn removes what was kept", async ({ page, site, leadline }) => {
  await open(page, site.serve(CONTACT_FORM));
  await fillAndSend(page);
  await leadline.post();
  await expect(page.getByRole("status")).toHaveText(/Thank you/);

  await page.evaluate(() => (window as unknown as { leadline: (...args: unknown[]) => void }).leadline("consent", false));

  expect(await page.evaluate(() => Object.keys(localStorage))).toEqual([]);
});

for (const [signal, value] of [["globalPrivacyControl", true], ["doNotTrack", "1"]] as const) {
  test(`${signal} means no visitor id, whatever the page consents to`, async ({ page, site, leadline }) => {
    await page.addInitScript(([name, set]) => Object.defineProperty(navigator, String(name), { value: set }), [signal, value]);
    await open(page, site.serve(CONTACT_FORM));

    await page.evaluate(() => (window as unknown as { leadline: (...args: unknown[]) => void }).leadline("consent", true));
    await fillAndSend(page);

    const { fields } = await leadline.post();
    expect(fields).not.toHaveProperty("__visitor_id");
    expect(fields.name).toBe("Ada Lovelace");
  });
}
