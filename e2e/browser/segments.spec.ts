import { readFile } from "node:fs/promises";
import { expectAccessible } from "./harness/axe";
import { Api, expect, signIn, test } from "./harness/fixtures";
import { submitDemoForm, visit } from "./harness/screens";

test("a segment is built with a live count, and follows who comes and who changes", async ({ page, browser, leadline }) => {
  await signIn(page, leadline);
  await visit(page, `${leadline.origin}/segments`);
  await page.getByRole("button", { name: "New segment" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("Ada");
  const found = page.getByRole("complementary", { name: "Who is in it" });
  await expect(found).toContainText(/[1-9]\d* leads/);

  await page.getByRole("button", { name: "Add condition" }).click();
  await page.getByRole("combobox", { name: "Field" }).click();
  await page.getByRole("option", { name: "Name", exact: true }).click();
  await page.getByLabel("Value of Name").fill("Lovelace");
  await expect(found).toContainText("0 leads");
  await expectAccessible(page, "a segment being built");
  await page.getByRole("button", { name: "Make the segment" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Ada" })).toBeVisible();

  const visitor = await (await browser.newContext()).newPage();
  await submitDemoForm(visitor, leadline, { name: "Ada Lovelace", email: "ada@example.com" });
  await visitor.waitForURL("**/demo/thanks");
  await expect(found).toContainText("1 lead");
  await expect(found.getByRole("link", { name: "Ada Lovelace" })).toBeVisible();

  await found.getByRole("link", { name: "Show the leads" }).click();
  await expect(page.getByRole("link", { name: "Ada Lovelace" })).toBeVisible();
  await expect(page.getByText("Segment: Ada")).toBeVisible();
  const exported = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export" }).click();
  await page.getByRole("menuitem", { name: "CSV" }).click();
  const path = await (await exported).path();
  const lines = (await readFile(path, "utf8")).trim().split("\r\n");
  expect(lines).toHaveLength(2);
  expect(lines[1]).toContain("Ada Lovelace");

  await visit(page, `${leadline.origin}/segments`);
  await expectAccessible(page, "segments");
  const row = page.getByRole("row", { name: /Ada/ });
  await expect(row).toContainText("1");
  const api = await Api.of(page.context(), leadline);
  const { data } = await api.get<{ data: { id: string }[] }>("/v1/identity/leads?search=lovelace");
  await api.patch(`/v1/identity/leads/${data[0]?.id}`, { name: "Ada King" });
  await expect(row.getByRole("link", { name: "0" }).first()).toBeVisible();
});

test("converting takes one click, whoever clicks twice, and leads to the contact", async ({ page, browser, leadline }) => {
  const visitor = await browser.newPage();
  await submitDemoForm(visitor, leadline, { name: "Grace Hopper", email: "grace@example.com" });
  await visitor.waitForURL("**/demo/thanks");
  await visitor.close();
  await signIn(page, leadline);
  const api = await Api.of(page.context(), leadline);
  const { data } = await api.get<{ data: { id: string }[] }>("/v1/identity/leads?search=hopper");
  await visit(page, `${leadline.origin}/leads/${data[0]?.id}`);
  const sent: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/convert")) sent.push(request.url());
  });

  await page.getByRole("button", { name: "Convert" }).click();
  const dialog = page.getByRole("dialog", { name: "Convert to a customer" });
  await expect(dialog.getByLabel(/^Name/)).toHaveValue("Grace Hopper");
  await dialog.getByRole("button", { name: "Convert" }).dblclick();

  await expect(page.getByRole("button", { name: "Convert" })).toHaveCount(0);
  await expect(page.getByText("Grace Hopper is a customer now")).toBeVisible();
  expect(sent).toHaveLength(1);
  await page.getByRole("link", { name: "Customer" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Grace Hopper" })).toBeVisible();
  await expectAccessible(page, "a contact");

  // Two people edit one contact: the second is told what the first wrote.
  const path = `/v1/identity/contacts/${page.url().split("/").at(-1)}`;
  await page.getByRole("button", { name: /^Name: Grace Hopper/ }).click();
  const colleague = await Api.of(await browser.newContext(), leadline);
  await page.getByLabel("Name", { exact: true }).fill("Amazing Grace");
  let isFirst = true;
  await page.route(`**${path}`, async (route) => {
    if (isFirst && route.request().method() === "PATCH") {
      isFirst = false;
      await colleague.patch(path, { displayName: "Rear Admiral Hopper" });
    }
    await route.continue();
  });
  await page.getByLabel("Name", { exact: true }).press("Enter");
  await expect(page.getByText(/"Rear Admiral Hopper" now/)).toBeVisible();
  await expect(page.getByLabel("Name", { exact: true })).toHaveValue("Amazing Grace");
});
