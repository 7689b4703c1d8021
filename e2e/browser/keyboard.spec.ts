import type { Locator, Page } from "@playwright/test";
import { expectAccessible } from "./harness/axe";
import { expect, test } from "./harness/fixtures";
import { TABS_AT_MOST, tabTo } from "./harness/keys";
import { boardCard, submitDemoForm } from "./harness/screens";

test("without a mouse: sign in, move a card, open the lead, add a note", async ({ page, browser, leadline }) => {
  const visitor = await browser.newPage();
  await submitDemoForm(visitor, leadline, { name: "Ada Lovelace", email: "ada@example.com" });
  // A window that closes before its request is out takes the request with it.
  await visitor.waitForURL("**/demo/thanks");
  await visitor.close();

  await page.goto(`${leadline.origin}/sign-in`);
  await tabTo(page, page.getByLabel(/e-?mail/i));
  await page.keyboard.type(leadline.credentials.email);
  await tabTo(page, page.getByLabel(/password/i).first());
  await page.keyboard.type(leadline.credentials.password);
  await expectAccessible(page, "sign-in");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/board");

  const columns = page.locator("[data-stage]");
  const card = boardCard(page, "Ada Lovelace");
  await expect(columns.nth(0).locator(card)).toBeVisible();
  await expectAccessible(page, "board");
  await tabTo(page, columns.nth(0).locator("[data-card]").first());
  await moveFocusTo(page, card);
  await page.keyboard.press("Alt+ArrowRight");
  await expect(columns.nth(1).locator(card)).toBeFocused();

  await page.keyboard.press("Enter");
  const note = page.getByLabel("New note");
  await expect(note).toBeVisible();
  await expectAccessible(page, "lead panel");
  await tabTo(page, note);
  await page.keyboard.type("Called back, wants a demo.");
  await tabTo(page, page.getByRole("button", { name: "Add the note" }));
  await page.keyboard.press("Enter");
  await expect(page.getByText("Called back, wants a demo.").last()).toBeVisible();
});

/** Within a column the arrow keys go from card to card. */
async function moveFocusTo(page: Page, card: Locator): Promise<void> {
  for (let presses = 0; presses < TABS_AT_MOST; presses++) {
    if (await card.evaluate((element) => element === document.activeElement)) return;
    const before = await page.evaluate(() => document.activeElement?.getAttribute("data-card"));
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute("data-card"))).not.toBe(before);
  }
}
