import type { BrowserContext } from "@playwright/test";
import { Api, expect, signIn, test } from "./harness/fixtures";
import { visit } from "./harness/screens";
import type { Leadline } from "./harness/server";

interface Leads {
  total: number;
}

/** Another window of the same browser goes to the other workspace. */
async function goToOrchard(context: BrowserContext, { origin }: Leadline): Promise<void> {
  const other = await context.newPage();
  await visit(other, `${origin}/board`);
  await other.getByRole("button", { name: /Change the workspace$/ }).click();
  await other.getByRole("menuitem", { name: "orchard" }).click();
  await expect(other.getByRole("button", { name: /^orchard/ })).toBeVisible();
}

test("a window goes on writing after another one of the same person signed in anew", async ({ page, leadline }) => {
  await signIn(page, leadline);
  await Api.of(page.context(), leadline);

  const card = page.locator("[data-stage]").first().locator("[data-card]").first();
  const path = (await card.getAttribute("href")) ?? "";
  await card.focus();
  await page.keyboard.press("Alt+ArrowRight");

  const moved = page.locator("[data-stage]").nth(1).locator(`[href="${path}"]`);
  await expect(page.getByText(/^Moved /).first()).toBeVisible();
  await page.reload();
  await expect(moved).toBeVisible();
});

test("a window of one workspace writes nothing into the one that another window went to", async ({ page, leadline }) => {
  leadline.command("user", "create", "--email", leadline.credentials.email, "--role", "admin", "--workspace", "orchard");
  // This window hears nothing of what happens elsewhere.
  await page.route("**/v1/live", (route) => route.abort());
  await signIn(page, leadline);
  await page.getByRole("button", { name: "Add lead" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a lead" });
  await dialog.getByLabel("Name").fill("Mary Somerville");
  await dialog.getByLabel("E-mail").fill("mary@example.com");

  await goToOrchard(page.context(), leadline);
  await dialog.getByRole("button", { name: "Add the lead" }).click();

  await expect(page.getByRole("button", { name: /^orchard/ })).toBeVisible();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole("heading", { level: 1, name: "Board" })).toBeVisible();
  const leads = await page.request.get(`${leadline.origin}/v1/identity/leads?search=Somerville`);
  expect(((await leads.json()) as Leads).total).toBe(0);
});

test("a window that hears of it goes along to the other workspace", async ({ page, leadline }) => {
  leadline.command("user", "create", "--email", leadline.credentials.email, "--role", "admin", "--workspace", "orchard");
  await signIn(page, leadline);
  await visit(page, `${leadline.origin}/leads`);
  await expect(page.getByText(/\d+ leads/).first()).toBeVisible();

  await goToOrchard(page.context(), leadline);

  await page.waitForURL("**/board");
  await expect(page.getByRole("button", { name: /^orchard/ })).toBeVisible();
  await expect(page.getByText("Another window went on in orchard, and this one goes along")).toBeVisible();
  await expect(page.locator("[data-card]")).toHaveCount(0);
});
