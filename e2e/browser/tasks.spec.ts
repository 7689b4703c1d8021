import { expectAccessible } from "./harness/axe";
import { Api, expect, signIn, test } from "./harness/fixtures";
import { submitDemoForm, visit } from "./harness/screens";

test("a rule gives a new lead to somebody, who gets a task done about it", async ({ page, browser, leadline }) => {
  await signIn(page, leadline);
  await visit(page, `${leadline.origin}/settings/assignment`);
  await expectAccessible(page, "assignment rules");
  await page.getByRole("button", { name: "Add rule" }).click();
  const dialog = page.getByRole("dialog", { name: "New assignment rule" });
  await dialog.getByRole("textbox", { name: "Name", exact: true }).fill("People called Ada");
  await dialog.getByRole("button", { name: "Add condition" }).click();
  await dialog.getByRole("combobox", { name: "Field" }).click();
  await page.getByRole("option", { name: "Name", exact: true }).click();
  await dialog.getByLabel("Value of Name").fill("Lovelace");
  await expect(dialog.getByText(/would have taken 0 of the last 100 leads/)).toBeVisible();
  await dialog.getByRole("combobox", { name: "People" }).click();
  await page.getByRole("option", { name: "Robin Demo" }).click();
  await page.keyboard.press("Escape");
  await expectAccessible(page, "an assignment rule being made");
  await dialog.getByRole("button", { name: "Add the rule" }).click();
  const row = page.getByRole("row", { name: /People called Ada/ });
  await expect(row).toContainText("Robin Demo");
  for (const before of ["Everything else", "Portal leads"]) {
    await row.getByRole("button", { name: "More for People called Ada" }).click();
    await page.getByRole("menuitem", { name: "Ask earlier" }).click();
    await expect(row.locator("xpath=following-sibling::tr").first()).toContainText(before);
  }

  const visitor = await (await browser.newContext()).newPage();
  await submitDemoForm(visitor, leadline, { name: "Ada Lovelace", email: "ada@example.com" });
  await visitor.waitForURL("**/demo/thanks");
  const bell = page.getByRole("button", { name: /^Alerts/ });
  await expect(bell).toHaveAccessibleName(/Alerts: [1-9]/);
  await bell.click();
  await expectAccessible(page, "one's own alerts");
  await page.getByRole("button", { name: "You got Ada Lovelace" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Ada Lovelace" })).toBeVisible();
  await expect(page.getByText("Assigned to Robin Demo by the rule People called Ada")).toBeVisible();
  await expect(page.getByText(/^Answer due in \d+ min$/)).toBeVisible();

  await page.getByRole("button", { name: "Add task" }).click();
  const task = page.getByRole("dialog", { name: "New task" });
  await task.getByLabel(/^What/).fill("Call Ada back");
  await task.getByLabel("Due").fill("2026-01-05T09:00");
  await expectAccessible(page, "a task being added");
  await task.getByRole("button", { name: "Add the task" }).click();
  await expect(page.getByRole("list", { name: "Tasks of this lead" })).toContainText("Overdue");
  await expect(page.getByText("Added the task “Call Ada back” for Robin Demo")).toBeVisible();

  await visit(page, `${leadline.origin}/tasks`);
  await expectAccessible(page, "tasks");
  await page.keyboard.press("n");
  await page.getByRole("dialog", { name: "New task" }).getByLabel(/^What/).fill("Water the plants");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("list", { name: "No date" })).toContainText("Water the plants");
  await page.getByRole("checkbox", { name: "Done: Call Ada back" }).click();
  await expect(page.getByRole("list", { name: "Overdue" })).not.toContainText("Call Ada back");
  await page.getByText("Done", { exact: true }).click();
  await expect(page.getByRole("list", { name: "Done" })).toContainText("Call Ada back");

  // What somebody does with the lead answers it.
  const api = await Api.of(page.context(), leadline);
  const { data } = await api.get<{ data: { id: string }[] }>("/v1/identity/leads?search=lovelace");
  await visit(page, `${leadline.origin}/leads/${data[0]?.id}`);
  await page.getByRole("textbox", { name: "New note" }).fill("She is happy");
  await page.getByRole("button", { name: "Add the note" }).click();
  await expect(page.getByText(/^Answered in 0 min$/)).toBeVisible();
});
