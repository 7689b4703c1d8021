import { expect, signIn, test } from "./harness/fixtures";
import { boardCard, submitDemoForm } from "./harness/screens";

test("a visitor's form appears on every open board without a reload and reaches the receiver", async ({ browser, leadline }) => {
  const windows = await Promise.all([1, 2].map(async () => (await browser.newContext()).newPage()));
  for (const page of windows) {
    await signIn(page, leadline);
    await expect(page.getByRole("heading", { level: 2 }).first()).toBeVisible();
    await page.evaluate(() => Object.assign(window, { isSameDocument: true }));
  }

  const visitor = await (await browser.newContext()).newPage();
  await submitDemoForm(visitor, leadline, { name: "Ada Lovelace", email: "ada@example.com" });

  await visitor.waitForURL("**/demo/thanks");
  for (const page of windows) {
    await expect(boardCard(page, "Ada Lovelace")).toBeVisible();
    expect(await page.evaluate(() => "isSameDocument" in window)).toBe(true);
  }
  const receiver = await (await browser.newContext()).newPage();
  await receiver.goto(`${leadline.origin}/demo/receiver`);
  await expect(receiver.getByText("ada@example.com").first()).toBeVisible();
});

test("a form sent while the server is away arrives once it is back, and once only", async ({ browser, leadline }) => {
  const context = await browser.newContext();
  const visitor = await context.newPage();
  await visitor.goto(`${leadline.origin}/demo`);
  await visitor.locator("[name=__pg_hp]").waitFor({ state: "attached" });

  await leadline.pause();
  await submitDemoForm(visitor, leadline, { name: "Grace Hopper", email: "grace@example.com" }, { isOpen: true });
  await expect(visitor.locator("[data-leadline-message=queued]")).toBeVisible();
  await leadline.resume();
  await visitor.goto(`${leadline.origin}/demo`);
  await expect
    .poll(() => visitor.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("leadline.queue."))))
    .toEqual([]);

  const page = await (await browser.newContext()).newPage();
  await signIn(page, leadline);
  await expect(boardCard(page, "Grace Hopper")).toHaveCount(1);
  await expect(boardCard(page, "Grace Hopper")).not.toContainText("submissions");
});
