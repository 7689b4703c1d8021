import { CONTACT_FORM, expect, fillAndSend, open, queued, test } from "./fixtures";

test("during an outage the visitor is told, and the next page sends the same submission", async ({ page, site, leadline }) => {
  const url = site.serve(CONTACT_FORM);
  leadline.isDown();
  await open(page, `${url}?utm_source=ads`);

  await fillAndSend(page);
  await expect(page.getByRole("status")).toHaveText("Thank you. Your message is kept and will be sent as soon as the connection allows.");
  const lost = await leadline.post();
  expect(await queued(page)).toHaveLength(1);
  leadline.accepts();
  const before = leadline.received.length;
  await open(page, url);

  const replay = await leadline.post(before + 1);
  expect(replay.fields).toEqual(lost.fields);
  await expect.poll(() => queued(page)).toEqual([]);
});

test("a server that refuses connections is tried again on the next page", async ({ page, site, leadline }) => {
  const url = site.serve(CONTACT_FORM);
  await open(page, url);
  await leadline.stop();

  await fillAndSend(page);
  await expect(page.getByRole("status")).toHaveText(/kept and will be sent/);
  await leadline.start();
  await page.reload();

  expect((await leadline.post()).fields.name).toBe("Ada Lovelace");
  await expect.poll(() => queued(page)).toEqual([]);
});

test("the open page tries again by itself, in time that grows", async ({ page, site, leadline }) => {
  await page.clock.install();
  leadline.isDown();
  await open(page, site.serve(CONTACT_FORM));
  await fillAndSend(page);
  await leadline.post();
  await page.clock.runFor(1_000);
  await expect(page.getByRole("status")).toHaveText(/kept and will be sent/);

  await page.clock.runFor(3_000);
  const second = await leadline.post(2);
  leadline.accepts();
  await page.clock.runFor(6_000);
  const third = await leadline.post(3);

  expect(third.fields.submissionId).toBe(second.fields.submissionId);
  await expect.poll(() => queued(page)).toEqual([]);
});

test("the queue is sent when the browser is online again", async ({ page, site, leadline, context }) => {
  await open(page, site.serve(CONTACT_FORM));
  await context.setOffline(true);
  await fillAndSend(page);
  await expect(page.getByRole("status")).toHaveText(/kept and will be sent/);

  await context.setOffline(false);

  expect((await leadline.post()).fields.name).toBe("Ada Lovelace");
});

test("a server that does not answer keeps nobody waiting longer than five seconds", async ({ page, site, leadline }) => {
  await page.clock.install();
  leadline.hangs();
  await open(page, site.serve(CONTACT_FORM));
  // From here on only the steps below let time pass, however slow the machine is.
  await page.clock.pauseAt(Date.now() + 60_000);

  await fillAndSend(page);
  await leadline.post();
  await page.clock.runFor(4_900);
  await expect(page.getByRole("status")).toBeEmpty();
  await page.clock.runFor(200);

  await expect(page.getByRole("status")).toHaveText(/kept and will be sent/);
  expect(await queued(page)).toHaveLength(1);
});

test("a refusal is shown beside the form and never repeated", async ({ page, site, leadline }) => {
  const url = site.serve(CONTACT_FORM);
  leadline.refuses();
  await open(page, url);

  await fillAndSend(page);
  await expect(page.getByRole("alert")).toHaveText("Give a name, an email address or a phone number.");

  await expect(page.getByLabel("Name")).toHaveValue("Ada Lovelace");
  expect(await queued(page)).toEqual([]);
  await open(page, url);
  expect(leadline.received).toHaveLength(1);
});

test("an answer that is not ours is no receipt", async ({ page, site, leadline }) => {
  leadline.accepts({ receipt: undefined, portal: "Please sign in to the hotel network" });
  await open(page, site.serve(CONTACT_FORM));

  await fillAndSend(page);

  await expect(page.getByRole("status")).toHaveText(/kept and will be sent/);
  expect(await queued(page)).toHaveLength(1);
});

test("a form with a foreign action survives the outage too", async ({ page, site, leadline }) => {
  const url = site.serve(`<form data-leadline-form="form-1" action="/elsewhere"><input name="name" value="Ada"><button>Send</button></form>`);
  await open(page, url);
  await leadline.stop();

  await page.getByRole("button").click();
  await page.waitForURL("**/elsewhere*");
  await leadline.start();
  await page.clock.install({ time: Date.now() + 60_000 });
  await page.goto(url);

  expect((await leadline.post()).fields.name).toBe("Ada");
});

test("two tabs that come back online together send each submission once", async ({ context, page, site, leadline }) => {
  const url = site.serve(CONTACT_FORM);
  leadline.isDown();
  await open(page, url);
  await fillAndSend(page);
  await expect(page.getByRole("status")).toHaveText(/kept and will be sent/);
  await page.goto("about:blank");
  const before = leadline.received.length;
  leadline.accepts();

  const other = await context.newPage();
  await Promise.all([open(page, url), open(other, url)]);
  await expect.poll(() => queued(page)).toEqual([]);
  await expect.poll(() => queued(other)).toEqual([]);

  expect(leadline.received.length - before).toBe(1);
});

test("the queue keeps the newest fifty and nothing older than 14 days", async ({ page, site, leadline }) => {
  leadline.isDown();
  const url = site.serve(CONTACT_FORM);
  await page.goto(site.serve("seed", { path: "/seed", tag: null }));
  await page.evaluate((origin) => {
    const entry = { url: `${origin}/f/form-1`, body: "{}", tries: 1, leasedUntil: 0 };
    for (let n = 10; n < 70; n++) localStorage.setItem(`leadline.queue.00${n}`, JSON.stringify({ ...entry, id: `00${n}`, at: Date.now() }));
    localStorage.setItem("leadline.queue.0099", JSON.stringify({ ...entry, id: "0099", at: Date.now() - 15 * 86_400_000 }));
    localStorage.setItem("leadline.queue.0098", "not JSON");
  }, leadline.origin);
  await open(page, url);

  await fillAndSend(page);
  await leadline.post();

  const kept = await queued(page);
  expect(kept).toHaveLength(50);
  expect(kept).toContain("leadline.queue.0069");
  expect(kept).not.toContain("leadline.queue.0010");
  expect(kept).not.toContain("leadline.queue.0099");
  expect(kept).not.toContain("leadline.queue.0098");
});

test("what is too large for keepalive is sent all the same", async ({ page, site, leadline }) => {
  await open(page, site.serve(CONTACT_FORM));
  await page.getByLabel("Message").fill("ä".repeat(50_000));

  await fillAndSend(page);

  expect(String((await leadline.post()).fields.message)).toHaveLength(50_000);
  await expect(page.getByRole("status")).toHaveText(/sent/);
});

test("what another tab is sending is left alone until its lease ends", async ({ page, site, leadline }) => {
  await page.clock.install();
  await page.goto(site.serve("seed", { path: "/seed", tag: null }));
  await page.evaluate((origin) => {
    const entry = { id: "001", url: `${origin}/f/form-1`, body: `{"name":"leased"}`, at: Date.now(), tries: 0, leasedUntil: Date.now() + 20_000 };
    localStorage.setItem("leadline.queue.001", JSON.stringify(entry));
  }, leadline.origin);
  await open(page, site.serve(CONTACT_FORM));

  await fillAndSend(page);
  expect((await leadline.post()).fields.name).toBe("Ada Lovelace");
  await page.clock.runFor(60_000);

  expect((await leadline.post(2)).fields.name).toBe("leased");
});
