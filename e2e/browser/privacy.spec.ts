import { expectAccessible } from "./harness/axe";
import { Api, expect, signIn, test } from "./harness/fixtures";
import { visit } from "./harness/screens";

interface Lead {
  id: string;
  contactId: string;
}

test("a person is found, taken along and erased for good, and is not written to again", async ({ page, leadline }) => {
  await signIn(page, leadline);
  const api = await Api.of(page.context(), leadline);
  const grace = await api.post<Lead>("/v1/identity/leads", { name: "Grace Hopper", email: "grace@example.com", company: "Navy" });
  await api.post<Lead>("/v1/identity/leads", { name: "Ada Byron", email: "ada@example.com", company: "Navy" });

  await visit(page, `${leadline.origin}/settings/privacy`);
  await expectAccessible(page, "privacy desk");
  await page.getByRole("textbox", { name: "Whose data?" }).fill("grace");
  await page.getByRole("link", { name: /Grace Hopper/ }).click();
  await expect(page.getByRole("region", { name: "What is held" })).toContainText("Submissions");
  await expectAccessible(page, "what is held of a person");
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Export" }).click();
  expect((await download).suggestedFilename()).toBe(`person-${grace.contactId}.zip`);

  await page.getByRole("button", { name: "Erase" }).click();
  const dialog = page.getByRole("dialog", { name: "Erase Grace Hopper?" });
  const erase = dialog.getByRole("button", { name: "Erase for good" });
  await expect(erase).toBeDisabled();
  await expectAccessible(page, "erase a person");
  await dialog.getByRole("textbox", { name: /Type the name/ }).fill("Grace Hopper");
  await erase.click();
  await expect(dialog.getByText("Nothing of them is left here.")).toBeVisible({ timeout: 30_000 });
  await dialog.getByRole("button", { name: "Done" }).click();

  await page.getByRole("textbox", { name: "Whose data?" }).fill("navy grace");
  await expect(page.getByText("Nobody is found")).toBeVisible();
  await page.goto(`${leadline.origin}/leads/${grace.id}`);
  await expect(page.getByText(/no such lead/i).first()).toBeVisible();
  await visit(page, `${leadline.origin}/leads`);
  await expect(page.getByText("Ada Byron").first()).toBeVisible();
  await expect(page.getByText("Grace Hopper")).toHaveCount(0);

  await visit(page, `${leadline.origin}/settings/privacy?show=suppressions`);
  const list = page.getByRole("region", { name: "Suppression list" });
  await expect(list.getByRole("row", { name: /E-mail address.*Erased/ })).toBeVisible();
  await page.getByRole("button", { name: "Add an address" }).click();
  await page.getByRole("textbox", { name: "E-mail address" }).fill("never@example.com");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(list.getByRole("row", { name: /Added by hand/ })).toBeVisible();
  await expectAccessible(page, "suppression list");
});
