import { expectAccessible } from "./harness/axe";
import { Api, expect, signIn, test } from "./harness/fixtures";
import { visit } from "./harness/screens";

interface Lead {
  id: string;
  name: string;
}

test("two leads of one person are found, merged with a look at each field, and split again", async ({ page, leadline }) => {
  await signIn(page, leadline);
  const api = await Api.of(page.context(), leadline);
  const first = await api.post<Lead>("/v1/identity/leads", { name: "Grace Hopper", email: "grace@example.com", company: "Navy" });
  const last = await api.post<Lead>("/v1/identity/leads", { name: "grace hopper", email: "hopper@example.com", company: "Navy", title: "Admiral" });

  await visit(page, `${leadline.origin}/leads`);
  await page.getByRole("button", { name: "Find duplicates" }).click();
  await page.getByText("Same name and company").click();
  const pair = page.getByRole("row", { name: /Grace Hopper/ });
  await pair.getByRole("button", { name: "Compare and merge" }).click();
  const dialog = page.getByRole("dialog", { name: "Merge two leads" });
  await expect(dialog.getByRole("radio", { name: "grace@example.com" })).toBeChecked();
  await expect(dialog.getByRole("radio", { name: "Admiral" })).toBeChecked();
  await dialog.getByRole("radio", { name: "hopper@example.com" }).check();
  await expect(dialog).toContainText("1 submission");
  await expectAccessible(page, "merge two leads");
  await dialog.getByRole("button", { name: "Merge them" }).click();
  await expect(pair).toHaveCount(0);

  // The one that went answers with the one that stayed.
  await visit(page, `${leadline.origin}/leads/${last.id}`);
  await expect(page.getByRole("heading", { name: "Grace Hopper" })).toBeVisible();
  await expect(page.getByText("hopper@example.com").first()).toBeVisible();
  await expect(page.getByText("grace hopper was merged into this lead")).toBeVisible();
  await expectAccessible(page, "a merged lead");
  await page.getByRole("region", { name: "Merged into this lead" }).getByRole("button", { name: "Split" }).click();
  await expect(page.getByText("grace hopper is a lead of its own again")).toBeVisible();

  await visit(page, `${leadline.origin}/leads/${first.id}`);
  await expect(page.getByText("grace@example.com").first()).toBeVisible();
  await expect(page.getByRole("region", { name: "Merged into this lead" })).toBeHidden();
  await visit(page, `${leadline.origin}/leads/${last.id}`);
  await expect(page.getByRole("heading", { name: "grace hopper" })).toBeVisible();
});
