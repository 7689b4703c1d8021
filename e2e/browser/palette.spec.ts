import { expectAccessible } from "./harness/axe";
import { Api, expect, signIn, test } from "./harness/fixtures";

test("the palette finds a lead and an action by a few letters, from the keyboard alone", async ({ page, leadline }) => {
  await signIn(page, leadline);
  const api = await Api.of(page.context(), leadline);
  await api.post("/v1/identity/leads", { name: "Ada Lovelace", email: "ada@example.com", company: "Analytical Engines" });
  const field = page.getByPlaceholder("A name, an e-mail address, an action");

  await page.keyboard.press("ControlOrMeta+k");
  await expect(field).toBeFocused();
  await page.keyboard.type("lovel");
  const ada = page.getByRole("option", { name: /^Ada Lovelace/ });
  await expect(ada).toContainText("Analytical Engines · ada@example.com");
  // What Enter would take is told to those who do not see it.
  await expect(ada).toHaveAttribute("aria-selected", "true");
  await expect(field).toHaveAttribute("aria-activedescendant", (await ada.getAttribute("id")) ?? "");
  await expectAccessible(page, "the palette");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Ada Lovelace" })).toBeVisible();
  await expect(field).toHaveCount(0);

  await page.keyboard.press("ControlOrMeta+k");
  await expect(field).toBeFocused();
  await expect(field).toHaveValue("");
  await page.keyboard.type("dead let");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/destinations?tab=dead");
  await expect(field).toHaveCount(0);

  await page.keyboard.press("ControlOrMeta+k");
  await expect(field).toBeFocused();
  await page.keyboard.type("go to");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/leads");
  await expect(field).toHaveCount(0);

  await page.keyboard.press("ControlOrMeta+k");
  await expect(field).toBeFocused();
  await page.keyboard.type("nobody has this name");
  await expect(page.getByText("Nothing found")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(field).toHaveCount(0);
});
