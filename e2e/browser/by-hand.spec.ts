import { Api, expect, signIn, test } from "./harness/fixtures";
import { expectAccessible } from "./harness/axe";
import { visit } from "./harness/screens";

test("a lead is added by hand, said what is wrong with it first, and stands on the board", async ({ page, leadline }) => {
  await signIn(page, leadline);
  await page.getByRole("button", { name: "Add lead" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a lead" });
  await dialog.getByLabel("Name").fill("Mary Somerville");
  await dialog.getByLabel("E-mail").fill("mary at home");
  await dialog.getByRole("button", { name: "Add the lead" }).click();
  await expect(dialog.getByLabel("E-mail")).toHaveAttribute("aria-invalid", "true");
  await dialog.getByLabel("E-mail").fill("mary@example.com");
  await expectAccessible(page, "adding a lead");
  await dialog.getByRole("button", { name: "Add the lead" }).click();

  await expect(dialog).toBeHidden();
  await expect(page.locator("[data-stage]").first().locator("[data-card]").filter({ hasText: "Mary Somerville" })).toBeVisible();
});

test("a mapping is tried on what came last, kept, and used for what comes next", async ({ page, request, leadline }) => {
  await signIn(page, leadline);
  const api = await Api.of(page.context(), leadline);
  const webhook = await api.post<{ id: string; url: string }>("/v1/identity/lead-webhooks", { name: "Property portal" });
  const send = (name: string) =>
    request.post(webhook.url, { data: { who_asks: name, email: `${name.split(" ")[0]}@example.com`, post: "Astronomer" } });
  expect((await send("Caroline Herschel")).ok()).toBe(true);

  await visit(page, `${leadline.origin}/sources/webhooks/${webhook.id}`);
  const preview = page.getByRole("region", { name: "Preview" });
  await expect(page.getByRole("region", { name: "Body as it came" })).toContainText("Caroline Herschel");
  await expect(preview).toContainText("Caroline@example.com");
  const mapping = page.getByRole("textbox", { name: "Field mapping" });
  await mapping.fill("post to title");
  await expect(page.getByText('Write one "their_field = our_field" a line.')).toBeVisible();
  await expect(page.getByRole("button", { name: "Save for the next requests" })).toBeDisabled();
  await mapping.fill("who_asks = name\npost = title");
  await expect(preview).toContainText("titleAstronomer");
  await expectAccessible(page, "a mapping that is tried");
  await page.getByRole("button", { name: "Save for the next requests" }).click();

  await expect(page.getByRole("button", { name: "Save for the next requests" })).toBeHidden();
  expect((await send("Maria Mitchell")).ok()).toBe(true);
  await visit(page, `${leadline.origin}/leads?search=Maria`);
  await page.locator("tbody").getByRole("link", { name: "Maria Mitchell" }).click();
  await expect(page.getByText("Astronomer").first()).toBeVisible();
});
