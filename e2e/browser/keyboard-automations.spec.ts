import { expectAccessible } from "./harness/axe";
import { Api, expect, signIn, test } from "./harness/fixtures";
import { chooseFromMenu, chooseOption, expectFocusSeen, expectTrapped, tabTo } from "./harness/keys";
import { visit } from "./harness/screens";

interface Automations {
  data: { name: string; steps: { kind: string }[] }[];
}

test("an automation is built without a mouse: its steps added, moved and taken out", async ({ page, leadline }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await signIn(page, leadline);
  const api = await Api.of(page.context(), leadline);
  await visit(page, `${leadline.origin}/board`);
  const press = (key: string) => page.keyboard.press(key);
  const name = page.getByRole("textbox", { name: "Automation name" });
  const steps = page.getByRole("list", { name: "Steps, from top to bottom" }).getByRole("listitem");
  const make = page.getByRole("button", { name: "Make the automation" });

  await press("g");
  await press("a");
  await page.waitForURL("**/automations");
  await expect(page.getByRole("heading", { level: 1, name: "Automations" })).toBeVisible();
  await press("n");
  await page.waitForURL("**/automations/new");
  await expect(name).toBeFocused();
  await page.keyboard.type("First steps");

  const startsWhen = page.getByRole("combobox", { name: "Starts when" });
  await tabTo(page, startsWhen);
  await chooseOption(page, "A new lead arrives");
  await expect(startsWhen).toBeFocused();

  // The message that stands there at first has no template yet, and the focus says so.
  await tabTo(page, make);
  await press("Enter");
  await expect(steps.nth(0)).toContainText("Choose a template.");
  await expect(steps.nth(0).locator(":focus")).toHaveCount(1);

  const add = page.getByRole("button", { name: "Add step" });
  await tabTo(page, add);
  await press("Enter");
  await expect(page.getByRole("menu").locator(":focus")).toHaveCount(1);
  await press("Escape");
  await expect(add).toBeFocused();
  await press("Enter");
  await chooseFromMenu(page, "Write a note");
  await expect(steps.nth(1).locator(":focus")).toHaveCount(1);
  await tabTo(page, steps.nth(1).getByRole("textbox", { name: "Note" }));
  await page.keyboard.type("Call them tomorrow");
  await tabTo(page, add);
  await press("Enter");
  await chooseFromMenu(page, "Add a tag");
  await tabTo(page, steps.nth(2).getByRole("textbox", { name: "Tag" }));
  await page.keyboard.type("greeted");

  // Up to the top, where there is no further, and the focus stays with the step.
  await tabTo(page, page.getByRole("button", { name: "Move step 3 up" }), "Shift+Tab");
  await expectFocusSeen(page);
  await press("Enter");
  await expect(steps.nth(1)).toContainText("Add a tag");
  await expect(page.getByRole("button", { name: "Move step 2 up" })).toBeFocused();
  await press("Enter");
  await expect(steps.nth(0)).toContainText("Add a tag");
  await expect(page.getByRole("button", { name: "Move step 1 up" })).toBeFocused();
  await press("Enter");
  await expect(steps.nth(0)).toContainText("Add a tag");

  // The message goes, and the focus is still among the steps.
  await tabTo(page, page.getByRole("button", { name: "Remove step 2" }));
  await press("Enter");
  await expect(steps).toHaveCount(2);
  await expect(steps.locator(":focus")).toHaveCount(1);
  await expectAccessible(page, "an automation built by the keyboard");
  await tabTo(page, make);
  await press("Enter");
  await page.waitForURL(/\/automations\/[0-9a-f-]{36}$/);
  const { data } = await api.get<Automations>("/v1/identity/lead-automations");
  expect(data.find((one) => one.name === "First steps")?.steps.map(({ kind }) => kind)).toEqual(["add_tag", "add_note"]);
});

test("a template is written, changed and deleted without a mouse", async ({ page, leadline }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await signIn(page, leadline);
  await expect(page.getByRole("heading", { level: 1, name: "Board" })).toBeVisible();
  const press = (key: string) => page.keyboard.press(key);
  const dialog = page.getByRole("dialog");
  const row = page.getByRole("row", { name: /Greeting/ });

  await press("ControlOrMeta+k");
  await expect(page.getByPlaceholder("A name, an e-mail address, an action")).toBeFocused();
  await page.keyboard.type("message templ");
  await press("Enter");
  await page.waitForURL("**/messaging/templates");
  const make = page.getByRole("button", { name: "New template" });
  await tabTo(page, make);
  await press("Enter");
  await expect(dialog.getByRole("textbox", { name: "Name" })).toBeFocused();
  await expectTrapped(page, dialog);
  await press("Escape");
  await expect(dialog).toHaveCount(0);
  await expect(make).toBeFocused();

  await press("n");
  await expect(dialog.getByRole("textbox", { name: "Name" })).toBeFocused();
  await page.keyboard.type("Greeting");
  await press("Tab");
  await page.keyboard.type("Hello {{firstName}}, may we call you?");
  await expect(dialog.getByRole("region", { name: "Preview" })).toContainText("Hello Ada, may we call you?");
  await press("Tab");
  await tabTo(page, dialog.getByRole("button", { name: "Save" }));
  await press("Enter");
  await expect(row).toContainText("Approved");
  await expect(dialog).toHaveCount(0);
  await expect(make).toBeFocused();

  const edit = row.getByRole("button", { name: "Edit" });
  await tabTo(page, edit);
  await expectFocusSeen(page);
  await press("Enter");
  await expect(dialog.getByRole("textbox", { name: "Text" })).toHaveValue(/may we call you/);
  await press("Escape");
  await expect(dialog).toHaveCount(0);
  await expect(edit).toBeFocused();
  await press("Tab");
  await expect(row.getByRole("button", { name: "Delete" })).toBeFocused();
  await press("Enter");
  await expect(row).toHaveCount(0);
  await expect(page.locator("#content :focus")).toHaveCount(1);
});
