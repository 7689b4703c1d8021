import { expectAccessible } from "./harness/axe";
import { expect, signIn, test } from "./harness/fixtures";
import { boardCard, submitDemoForm, visit } from "./harness/screens";

test("a pipeline gets a stage by keyboard, and one with leads goes only with a place for them", async ({ page, leadline }) => {
  await signIn(page, leadline);
  await visit(page, `${leadline.origin}/settings/pipelines`);
  await expectAccessible(page, "pipelines");

  await page.getByRole("button", { name: "Add stage" }).click();
  await page.keyboard.type("Visited");
  await page.getByRole("button", { name: "Move Visited up" }).press("Enter");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("Saved Leads")).toBeVisible();

  await page.getByRole("button", { name: "Remove Contacted" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Leads are in stages that you remove" });
  await expect(dialog.getByRole("button", { name: "Move them and save" })).toBeDisabled();
  await dialog.getByLabel(/Where do/).click();
  await page.getByRole("option", { name: "Visited" }).click();
  await dialog.getByRole("button", { name: "Move them and save" }).click();
  await expect(dialog).toBeHidden();

  await visit(page, `${leadline.origin}/board`);
  await expect(page.locator("[data-stage] h2")).toHaveText(["New", "Qualified", "Visited", "Proposal", "Won", "Lost"]);
  await expect(page.locator("[data-stage]").nth(2).locator("[data-card]").first()).toBeVisible();
});

test("a card that is dragged to Lost asks why, and says so", async ({ page, browser, leadline }) => {
  const visitor = await browser.newPage();
  await submitDemoForm(visitor, leadline, { name: "Ada Lovelace", email: "ada@example.com" });
  await visitor.waitForURL("**/demo/thanks");
  await visitor.close();
  // All columns fit, so that nothing scrolls away under the mouse.
  await page.setViewportSize({ width: 1920, height: 1000 });
  await signIn(page, leadline);
  const lost = page.locator("[data-stage]").last();
  const card = boardCard(page, "Ada Lovelace");
  // Onto a card, so that it lands where it can be seen.
  const place = lost.locator("[data-card]").first();

  // Dragging is fetched once the board is painted.
  await expect(page.locator("[draggable=true]").filter({ has: card })).toBeVisible();
  await card.dragTo(place);
  await page.getByRole("dialog", { name: "Why was it lost?" }).getByRole("button", { name: "Cancel" }).click();
  await expect(page.locator("[data-stage]").first().locator(card)).toBeVisible();
  await card.dragTo(place);
  // The card moves at once; whoever leaves before the answer takes the request along.
  const saved = page.waitForResponse((answer) => answer.request().method() === "PATCH" && answer.url().endsWith("/stage"));
  await page.getByRole("dialog", { name: "Why was it lost?" }).getByRole("button", { name: "No answer" }).click();

  await expect(lost.locator(card)).toContainText("No answer");
  expect((await saved).ok()).toBe(true);
  await page.reload();
  await expect(lost.locator(card)).toContainText("No answer");
});
