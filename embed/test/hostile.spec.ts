import { CONTACT_FORM, expect, fillAndSend, open, queued, scriptLoaded, test } from "./fixtures";

const STRICT = "default-src 'none'; script-src HOST; connect-src HOST; form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

test("a page with a strict policy and Trusted Types has nothing to report", async ({ page, site, leadline, faults }) => {
  await open(page, site.serve(CONTACT_FORM, { csp: STRICT }));

  await fillAndSend(page);

  await leadline.post();
  await expect(page.getByRole("status")).toHaveText(/Thank you/);
  await expect(page.locator("[name=__pg_hp]")).not.toBeInViewport();
  expect(faults).toEqual([]);
});

test("where the policy refuses the script's requests, the browser posts under the same id", async ({ page, site, leadline }) => {
  const csp = "default-src 'none'; script-src HOST; form-action HOST";
  const url = site.serve(CONTACT_FORM, { csp });
  await open(page, url);

  await fillAndSend(page);

  await expect(page.getByRole("heading")).toHaveText("Thanks from the server");
  const { fields } = await leadline.post();
  expect(fields).toMatchObject({ name: "Ada Lovelace", page_url: url });
  expect(fields.submissionId).toBeTruthy();
  await page.goto(url);
  await scriptLoaded(page);
  expect(await queued(page)).toEqual([]);
});

test("a page that denies storage still sends, and is told when nothing could be kept", async ({ page, site, leadline, faults }) => {
  await page.addInitScript(() => {
    const denied = () => {
      throw new DOMException("denied", "SecurityError");
    };
    Object.defineProperty(window, "localStorage", { get: denied });
  });
  await open(page, site.serve(CONTACT_FORM));

  await fillAndSend(page, "Ada");
  expect((await leadline.post()).fields.name).toBe("Ada");
  await expect(page.getByRole("status")).toHaveText(/Thank you/);
  leadline.isDown();
  await fillAndSend(page, "Grace");

  await expect(page.getByRole("status")).toHaveText("Your message has not been sent yet. Please keep this page open.");
  leadline.accepts();
  await page.evaluate(() => window.dispatchEvent(new Event("online")));
  await expect.poll(() => leadline.received.at(-1)?.fields.name).toBe("Grace");
  expect(faults).toEqual([]);
});

test("a sandboxed frame without an origin still sends", async ({ page, site, leadline, faults }) => {
  site.serve(CONTACT_FORM, { path: "/framed" });
  await page.goto(site.serve(`<iframe sandbox="allow-scripts allow-forms" src="/framed"></iframe>`, { tag: null }));
  const frame = page.frameLocator("iframe");
  await frame.locator("[name=__pg_hp]").waitFor({ state: "attached" });

  await frame.getByLabel("Name").fill("Ada");
  await frame.getByRole("button").click();

  expect((await leadline.post()).fields.name).toBe("Ada");
  expect(faults).toEqual([]);
});

test("full storage costs nothing but the memory of it", async ({ page, site, leadline, faults }) => {
  await open(page, site.serve(CONTACT_FORM));
  await page.evaluate(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
  });

  await fillAndSend(page);

  expect((await leadline.post()).fields.name).toBe("Ada Lovelace");
  expect(faults).toEqual([]);
});

test("the script loaded twice binds once", async ({ page, site, leadline }) => {
  const twice = `<script async src="HOST/embed.js" data-site="site-1"></script>`;
  await open(page, site.serve(CONTACT_FORM + twice));
  await page.waitForLoadState("load");

  await fillAndSend(page);
  await expect(page.getByRole("status")).toHaveText(/Thank you/);

  expect(leadline.received).toHaveLength(1);
});

test("addresses that are none do not disturb the page", async ({ page, site, leadline, faults }) => {
  const broken = `<form data-leadline-form="a" action="http://[broken"><input name="name" value="Ada"><button>Odd</button></form>`;
  await open(page, site.serve(broken + CONTACT_FORM));

  await fillAndSend(page);

  expect((await leadline.post()).fields.name).toBe("Ada Lovelace");
  expect(faults).toEqual([]);
});
