import { readFile } from "node:fs/promises";
import { expectAccessible } from "./harness/axe";
import { expect, signIn, test } from "./harness/fixtures";
import { visit } from "./harness/screens";

test("reports follow range, comparison and filters, lead to the leads behind them, and come as a file", async ({ page, leadline }) => {
  await signIn(page, leadline);
  await page.getByRole("link", { name: "Reports" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Reports" })).toBeVisible();
  const inShort = page.getByLabel("In short");
  await expect(inShort).toContainText("Win rate");
  await expect(page.getByRole("img", { name: /Leads from/ })).toBeVisible();
  await expect(inShort).not.toContainText("than before");

  await page.getByRole("combobox", { name: "Compare with" }).click();
  await page.getByRole("option", { name: "The days before" }).click();
  await expect(page).toHaveURL(/compare=previous/);
  await expect(inShort).toContainText("than before");
  await expectAccessible(page, "reports over time, compared");

  await page.getByRole("combobox", { name: "Days", exact: true }).click();
  await page.getByRole("option", { name: "Last 90 days" }).click();
  await expect(page).toHaveURL(/range=last-90/);
  await page.getByRole("combobox", { name: "How days are grouped" }).click();
  await page.getByRole("option", { name: "Months" }).click();
  await expect(page).toHaveURL(/interval=month/);
  await expect(page.getByRole("region", { name: "Leads over time" }).getByRole("row")).toHaveCount(5);

  await page.getByRole("tab", { name: "Sources" }).click();
  await expect(page).toHaveURL(/report=sources/);
  const table = page.getByRole("region", { name: "Sources", exact: true }).getByRole("table");
  await expect(table.getByRole("row")).toHaveCount(4);
  await expectAccessible(page, "sources");
  const saved = page.waitForEvent("download");
  await page.getByRole("link", { name: "CSV" }).click();
  const file = await saved;
  expect(file.suggestedFilename()).toBe("sources.csv");
  const lines = (await readFile(await file.path(), "utf8")).trim().split("\r\n");
  expect(lines).toHaveLength(4);
  expect(lines[0]).toContain("Leads before");

  const row = table.getByRole("row").nth(1);
  const leads = (await row.getByRole("cell").nth(1).textContent() ?? "").split(" ")[0] ?? "";
  await row.getByRole("link").click();
  await expect(page).toHaveURL(/\/leads\?/);
  await expect(page.getByText(`${leads} leads`)).toBeVisible();
});

test("the funnel is read by keyboard and keeps its filters in the address", async ({ page, leadline }) => {
  await signIn(page, leadline);
  await visit(page, `${leadline.origin}/reports`);

  await page.getByRole("tab", { name: "Leads over time" }).focus();
  await page.keyboard.press("ArrowRight");
  await expect(page).toHaveURL(/report=funnel/);
  const steps = page.getByRole("region", { name: "Funnel", exact: true }).getByRole("row");
  await expect(steps).toHaveCount(6);
  await expect(steps.nth(1)).toContainText("New");
  await page.getByRole("combobox", { name: "Source", exact: true }).click();
  await page.getByRole("option", { name: "By hand" }).click();
  await expect(page.getByText("No leads came in these days")).toBeVisible();

  await page.reload();
  await expect(page.getByText("No leads came in these days")).toBeVisible();
  await page.goBack();
  await expect(page).not.toHaveURL(/report=funnel/);
});
