import { CONTACT_FORM, expect, fillAndSend, open, scriptLoaded, test } from "./fixtures";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test("a form bound by attribute is sent as text/plain without a preflight", async ({ page, site, leadline, faults }) => {
  await open(page, site.serve(CONTACT_FORM));

  await fillAndSend(page);

  const post = await leadline.post();
  expect(post.path).toBe("/f/form-1");
  expect(post.contentType).toContain("text/plain");
  expect(post.fields).toMatchObject({
    name: "Ada Lovelace",
    email: "ada@example.com",
    message: "",
    cta: "Send",
    __pg_hp: "",
    page_url: `${site.origin}/`,
  });
  expect(post.fields.submissionId).toMatch(UUID_V7);
  expect(post.fields.__visitor_id).toMatch(UUID_V7);
  expect(post.fields.__session_id).toMatch(UUID_V7);
  expect(Number(post.fields.__pg_tts)).toBeGreaterThan(0);
  expect(leadline.preflights).toBe(0);
  await expect(page.getByRole("status")).toHaveText("Thank you. Your message has been sent.");
  expect(faults).toEqual([]);
});

test("a form whose action is ours is bound without an attribute", async ({ page, site, leadline }) => {
  await open(page, site.serve(`<form action="HOST/f/form-2" method="post"><label>Name <input name="name"></label><button>Send</button></form>`));

  await page.getByLabel("Name").fill("Ada");
  await page.getByRole("button").click();

  expect((await leadline.post()).path).toBe("/f/form-2");
  expect(page.url()).toBe(`${site.origin}/`);
});

test("a form added late is bound, and its time to submit counts from its appearance", async ({ page, site, leadline }) => {
  await open(page, site.serve(`<main></main>`));
  const age = await page.evaluate(() => performance.now());

  await page.evaluate((html) => {
    const parsed = new DOMParser().parseFromString(html, "text/html");
    document.querySelector("main")?.append(...parsed.body.children);
  }, CONTACT_FORM);
  await page.locator("[name=__pg_hp]").waitFor({ state: "attached" });
  await fillAndSend(page);

  const { fields } = await leadline.post();
  expect(fields.name).toBe("Ada Lovelace");
  expect(Number(fields.__pg_tts)).toBeLessThan((await page.evaluate(() => performance.now())) - age);
});

test("the honeypot is out of sight, out of the tab order and out of the accessibility tree", async ({ page, site }) => {
  await open(page, site.serve(CONTACT_FORM));

  const honeypot = page.locator("[name=__pg_hp]");
  await expect(honeypot).toHaveCount(1);
  await expect(honeypot).toHaveAttribute("tabindex", "-1");
  await expect(honeypot).toHaveAttribute("autocomplete", "off");
  await expect(honeypot).toHaveAttribute("aria-hidden", "true");
  await expect(honeypot).not.toBeInViewport();
  await expect(page.getByRole("textbox")).toHaveCount(3);
});

test("what a bot writes into the honeypot is sent along", async ({ page, site, leadline }) => {
  await open(page, site.serve(CONTACT_FORM));

  await page.locator("[name=__pg_hp]").evaluate((input: HTMLInputElement) => {
    input.value = "cheap pills";
  });
  await fillAndSend(page);

  expect((await leadline.post()).fields.__pg_hp).toBe("cheap pills");
});

test("a password and a payment card never leave the browser", async ({ page, site, leadline }) => {
  const form = `<form action="HOST/f/form-1" method="post">
    <label>Name <input name="name"></label>
    <input name="secret" type="password" value="hunter2">
    <input name="shown" autocomplete="current-password" value="hunter3">
    <input name="number" autocomplete="billing cc-number" value="4111111111111111">
    <input name="cc-csc" value="123">
    <input name="cardNumber" value="4222222222222222">
    <fieldset data-leadline-ignore><input name="diagnosis" value="private"></fieldset>
    <button>Send</button></form>`;
  await open(page, site.serve(form));

  await page.getByLabel("Name").fill("Ada");
  await page.getByRole("button").click();
  const scripted = await leadline.post();
  await expect(page.getByRole("status")).toHaveText(/Thank you/);
  await page.getByLabel("Name").fill("Ada");
  await page.evaluate(() => document.querySelector("form")?.submit());
  const native = await leadline.post(2);
  // A browser that is closed between a form with a password and the page behind it may never end.
  await expect(page.getByRole("heading")).toHaveText("Thanks from the server");

  for (const { body } of [scripted, native]) {
    expect(body).not.toMatch(/hunter|4111|4222|123"|=123|private/);
    expect(body).toContain("Ada");
  }
});

test("a form left to itself stays untouched", async ({ page, site, leadline }) => {
  await open(page, site.serve(`<form data-leadline-form="form-1" data-leadline-ignore action="/elsewhere"><input name="name" value="Ada"><button>Send</button></form>`));

  await page.getByRole("button").click();

  await expect(page.getByRole("heading")).toHaveText("Page /elsewhere");
  expect(leadline.received).toEqual([]);
});

test("a form that posts elsewhere is copied, and its own post goes on without our fields", async ({ page, site, leadline }) => {
  await open(page, site.serve(`<form data-leadline-form="form-1" action="/elsewhere" method="get"><input name="name" value="Ada"><button>Send</button></form>`));

  await page.getByRole("button").click();

  await expect(page.getByRole("heading")).toHaveText("Page /elsewhere");
  expect(new URL(page.url()).search).toBe("?name=Ada");
  expect((await leadline.post()).fields.name).toBe("Ada");
});

test("a page with its own submit handler keeps its interface and loses no lead", async ({ page, site, leadline }) => {
  await open(page, site.serve(CONTACT_FORM));
  await page.evaluate(() => {
    document.querySelector("form")?.addEventListener("submit", (event) => {
      event.preventDefault();
      event.stopPropagation();
    });
  });

  await fillAndSend(page);

  expect((await leadline.post()).fields.name).toBe("Ada Lovelace");
  await expect(page.locator("[data-leadline-message]")).toHaveCount(0);
});

test("an invalid form is not sent unless it says novalidate", async ({ page, site, leadline }) => {
  const fields = `<input name="email" type="email" value="not an address"><button>Send</button>`;
  await open(page, site.serve(`<form data-leadline-form="strict">${fields}</form><form data-leadline-form="lax" novalidate>${fields}</form>`));

  // A synthetic event reaches listeners without the browser's own check.
  await page.evaluate(() => {
    for (const form of document.forms) form.dispatchEvent(new SubmitEvent("submit", { bubbles: true, cancelable: true }));
  });

  expect((await leadline.post()).path).toBe("/f/lax");
  await expect(page.getByRole("status")).toHaveText(/Thank you/);
  expect(leadline.received).toHaveLength(1);
});

test("a double click is one submission", async ({ page, site, leadline }) => {
  leadline.hangs();
  await open(page, site.serve(CONTACT_FORM));
  await page.getByLabel("Name").fill("Ada");

  await page.getByRole("button", { name: "Send" }).dblclick();
  await leadline.post();
  await expect(page.getByRole("status")).toHaveText(/Thank you\. Your message is kept/, { timeout: 10_000 });

  expect(leadline.received).toHaveLength(1);
});

test("the same content sent twice carries one id, other content another", async ({ page, site, leadline }) => {
  await open(page, site.serve(CONTACT_FORM));

  for (const [index, name] of ["Ada", "Ada", "Grace"].entries()) {
    await fillAndSend(page, name);
    await leadline.post(index + 1);
    await expect(page.getByRole("status")).toHaveText(/Thank you/);
  }

  const ids = leadline.received.map((post) => post.fields.submissionId);
  expect(ids[1]).toBe(ids[0]);
  expect(ids[2]).not.toBe(ids[0]);
});

test("a repeated name becomes a list, a file its name, and odd names are only names", async ({ page, site, leadline }) => {
  const form = `<form data-leadline-form="form-1">
    <input name="topic" type="checkbox" value="a" checked><input name="topic" type="checkbox" value="b" checked>
    <input name="cv" type="file"><input name="photo" type="file">
    <input name="__proto__" value="kept"><input name="action" value="x"><input name="submit" value="y"><input name="elements" value="z">
    <button name="plan" value="pro">Buy</button></form>`;
  await open(page, site.serve(form));
  await page.locator("[name=cv]").setInputFiles({ name: "cv.pdf", mimeType: "application/pdf", buffer: Buffer.from("secret content") });

  await page.getByRole("button", { name: "Buy" }).click();

  const { body } = await leadline.post();
  expect(body).not.toContain("secret content");
  expect(body).toContain('"__proto__":"kept"');
  expect(JSON.parse(body)).toMatchObject({ topic: ["a", "b"], cv: "cv.pdf", action: "x", submit: "y", elements: "z", plan: "pro", cta: "Buy" });
  expect(JSON.parse(body)).not.toHaveProperty("photo");
});

test("the visitor goes on to the thank-you page that the server names, or the form does", async ({ page, site, leadline }) => {
  await open(page, site.serve(CONTACT_FORM.replace("<form", `<form data-leadline-thanks="/thanks-form"`)));

  await fillAndSend(page);
  await page.waitForURL("**/thanks-form");
  await page.goBack();
  await scriptLoaded(page);
  leadline.accepts({ redirectUrl: `${site.origin}/thanks-server` });
  await fillAndSend(page, "Grace");

  await page.waitForURL("**/thanks-server");
  expect(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes("queue")))).toEqual([]);
});

test("a thank-you address that is no web address is not followed", async ({ page, site, leadline, faults }) => {
  leadline.accepts({ redirectUrl: "javascript:document.title='taken over'" });
  await open(page, site.serve(CONTACT_FORM));

  await fillAndSend(page);

  await expect(page.getByRole("status")).toHaveText(/Thank you/);
  await expect(page).toHaveTitle("A website");
  expect(faults).toEqual([]);
});

test("without script the form reaches the server natively", async ({ browser, site, leadline }) => {
  const page = await browser.newPage({ javaScriptEnabled: false });
  await page.goto(site.serve(`<form action="HOST/f/form-1" method="post"><label>Name <input name="name"></label><button>Send</button></form>`));

  await page.getByLabel("Name").fill("Ada");
  await page.getByRole("button").click();

  await expect(page.getByRole("heading")).toHaveText("Thanks from the server");
  expect((await leadline.post()).fields).toEqual({ name: "Ada" });
  await page.close();
});

test("a page that stops the event posts natively, completed by the script and covered by the queue", async ({ page, site, leadline }) => {
  const form = `<form action="HOST/f/form-1" method="post"><label>Name <input name="name"></label><button>Send</button></form>`;
  const url = site.serve(form);
  await open(page, url);
  await page.evaluate(() => document.querySelector("form")?.addEventListener("submit", (event) => event.stopPropagation()));

  await page.getByLabel("Name").fill("Ada");
  await page.getByRole("button").click();
  await expect(page.getByRole("heading")).toHaveText("Thanks from the server");
  const native = await leadline.post();
  await page.goto(url);
  const replay = await leadline.post(2);

  expect(native.contentType).toContain("urlencoded");
  expect(native.fields).toMatchObject({ name: "Ada", __pg_hp: "", page_url: url, __visitor_id: replay.fields.__visitor_id });
  expect(replay.fields.submissionId).toBe(native.fields.submissionId);
});

test("a page without forms can submit by call, even before the script is there", async ({ page, site, leadline }) => {
  const stub = `<script>window.leadline=window.leadline||function(){(leadline.q=leadline.q||[]).push(arguments)};leadline("submit","form-9",{email:"ada@example.com",password:"hunter2"})</script>`;
  await page.goto(site.serve(stub, { tag: "defer" }));
  const early = await leadline.post();
  await scriptLoaded(page);

  const outcome = await page.evaluate(() =>
    (window as unknown as { leadline: (...args: unknown[]) => Promise<{ state: string }> }).leadline("submit", "form-9", { email: "b@example.com" }),
  );

  expect(early.path).toBe("/f/form-9");
  expect(early.fields.email).toBe("ada@example.com");
  expect(early.body).not.toContain("hunter2");
  expect(outcome.state).toBe("submitted");
});

test("the form hears what became of it, and the page may take over", async ({ page, site, leadline }) => {
  await open(page, site.serve(CONTACT_FORM));
  const heard = page.evaluate(
    () =>
      new Promise<{ leadId: string; submissionId: string }>((done) => {
        document.addEventListener("leadline:submitted", (event) => {
          event.preventDefault();
          done((event as CustomEvent).detail);
        });
      }),
  );

  await fillAndSend(page);

  const detail = await heard;
  expect(detail.leadId).toBe("lead-1");
  expect(detail.submissionId).toBe((await leadline.post()).fields.submissionId);
  await expect(page.getByRole("status")).toBeEmpty();
});

test("the page may withhold a submission", async ({ page, site, leadline }) => {
  await open(page, site.serve(CONTACT_FORM));
  await page.evaluate(() => {
    document.addEventListener("leadline:submit", (event) => event.preventDefault());
    document.querySelector("form")?.setAttribute("action", "/elsewhere");
  });

  await fillAndSend(page);

  await expect(page.getByRole("heading")).toHaveText("Page /elsewhere");
  expect(leadline.received).toEqual([]);
});
