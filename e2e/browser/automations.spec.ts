import { expectAccessible } from "./harness/axe";
import { Api, expect, signIn, test } from "./harness/fixtures";
import { visit } from "./harness/screens";

test("an automation is built, runs for a lead that arrives, and its failed step is tried again", async ({ page, leadline }) => {
  await signIn(page, leadline);
  const api = await Api.of(page.context(), leadline);

  await visit(page, `${leadline.origin}/automations/new`);
  await page.getByLabel("Automation name").fill("First steps");
  await page.getByRole("combobox", { name: "Starts when" }).click();
  await page.getByRole("option", { name: "A new lead arrives" }).click();
  const steps = page.getByRole("list", { name: "Steps, from top to bottom" }).getByRole("listitem");
  const add = async (kind: string) => {
    await page.getByRole("button", { name: "Add step" }).click();
    await page.getByRole("menuitem", { name: kind, exact: true }).click();
  };
  await add("Write a note");
  await steps.nth(1).getByRole("textbox", { name: "Note" }).fill("Call them tomorrow");
  await add("Add a tag");
  await steps.nth(2).getByRole("textbox", { name: "Tag" }).fill("greeted");

  // Nothing is chosen yet for the message, and the field says so.
  await page.getByRole("button", { name: "Make the automation" }).click();
  await expect(steps.nth(0)).toContainText("Choose a template.");
  await steps.nth(0).getByRole("combobox", { name: "Channel" }).click();
  await page.getByRole("option", { name: "E-mail", exact: true }).click();
  await steps.nth(0).getByRole("combobox", { name: "Template" }).click();
  await page.getByRole("option", { name: "Follow_Up_Email" }).click();

  // By the keyboard: the tag comes before the note.
  const up = steps.nth(2).getByRole("button", { name: "Move step 3 up" });
  await up.focus();
  await page.keyboard.press("Enter");
  await expect(steps.nth(1)).toContainText("Add a tag");
  await expect(steps.nth(2)).toContainText("Write a note");
  await expectAccessible(page, "an automation being built");
  await page.getByRole("button", { name: "Make the automation" }).click();
  await page.waitForURL(/\/automations\/[0-9a-f-]{36}$/);
  const automation = page.url();

  // The sandbox refuses what goes to this address.
  const lead = await api.post<{ id: string }>("/v1/identity/leads", { name: "Grace Hopper", email: "refuse@example.com" });
  const row = page.getByRole("row", { name: /Grace Hopper/ });
  await expect(async () => {
    await visit(page, `${automation}?tab=runs`);
    await expect(row).toContainText("3. Write a note: done", { timeout: 1_000 });
  }).toPass();
  await expect(row).toContainText("1. E-mail: failed");
  await expect(row).toContainText("2. Add a tag: done");
  await expect(row).toContainText("Failed");
  await expectAccessible(page, "the log of runs");

  await visit(page, `${leadline.origin}/leads/${lead.id}`);
  const told = page.getByRole("region", { name: "Automations" });
  await expect(told).toContainText("Automation triggered");
  await expect(told).toContainText("Step 1 failed");
  await expect(told).toContainText("Step 2 done");
  await expect(told).toContainText("Tag greeted added");
  await expect(page.getByText("Call them tomorrow").first()).toBeVisible();
  await api.patch(`/v1/identity/leads/${lead.id}`, { email: "grace@example.com" });
  await told.getByRole("button", { name: /retry/i }).click();
  await expect(told).toContainText("Step 1 sent");
});
