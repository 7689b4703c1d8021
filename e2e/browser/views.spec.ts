import type { Page } from "@playwright/test";
import { expectAccessible } from "./harness/axe";
import { Api, expect, signIn, test } from "./harness/fixtures";
import { visit } from "./harness/screens";

const menu = (page: Page, name: string) => page.locator("main").getByRole("button", { name, exact: true });

test("a view keeps filters, order and columns, is shared, changed, opened by itself and deleted", async ({ page, browser, leadline }) => {
  await signIn(page, leadline);
  const api = await Api.of(page.context(), leadline);
  for (const [name, tags] of [["Zoe Harbour", ["pier"]], ["Abe Harbour", ["pier"]], ["Mia Inland", []]] as const) {
    await api.post("/v1/identity/leads", { name, email: `${name.replace(" ", ".")}@example.com`, tags });
  }
  const people = page.locator("tbody").getByRole("link", { name: /Harbour|Inland/ });

  await visit(page, `${leadline.origin}/leads?tag=pier`);
  await page.getByRole("columnheader", { name: "Name" }).getByRole("button").click();
  await expect(people).toHaveText([/Abe Harbour/, /Zoe Harbour/]);
  await menu(page, "All leads").click();
  await page.getByRole("menuitem", { name: "Save as a new view…" }).click();
  const dialog = page.getByRole("dialog", { name: "New view" });
  await dialog.getByLabel("Name").fill("At the pier");
  await dialog.getByLabel("Share with everybody in the workspace").check();
  await expectAccessible(page, "naming a view");
  await dialog.getByRole("button", { name: "Save the view" }).click();
  await expect(menu(page, "At the pier")).toBeVisible();

  // Whoever opens the link sees the same, and a colleague has it in the menu.
  const shared = page.url();
  const colleague = await (await browser.newContext()).newPage();
  await signIn(colleague, leadline);
  await visit(colleague, `${leadline.origin}/leads`);
  await menu(colleague, "All leads").click();
  await colleague.getByRole("menuitem", { name: "At the pier" }).click();
  await expect(colleague.locator("tbody").getByRole("link", { name: /Harbour|Inland/ })).toHaveText([/Abe Harbour/, /Zoe Harbour/]);
  expect(colleague.url()).toBe(shared);

  // A change is seen at once, saved by a click, and kept over a page load.
  await page.getByRole("columnheader", { name: "Name" }).getByRole("button").click();
  await expect(people).toHaveText([/Zoe Harbour/, /Abe Harbour/]);
  await page.getByRole("button", { name: "Save changes" }).click();
  // There is nothing to save any more; what said so when the view was made may still be there.
  await expect(page.getByRole("button", { name: "Save changes" })).toHaveCount(0);
  await expect(page.getByText("Saved At the pier").last()).toBeVisible();
  await menu(page, "At the pier").click();
  await page.getByRole("menuitem", { name: "Begin with this view" }).click();
  await expect(page.getByText("Leads begin with At the pier")).toBeVisible();
  await page.goto(`${leadline.origin}/leads`);
  await expect(menu(page, "At the pier")).toBeVisible();
  await expect(people).toHaveText([/Zoe Harbour/, /Abe Harbour/]);

  await menu(page, "At the pier").click();
  await page.getByRole("menuitem", { name: "Delete the view…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(menu(page, "All leads")).toBeVisible();
  await expect(people.filter({ hasText: "Mia Inland" })).toBeVisible();
});
