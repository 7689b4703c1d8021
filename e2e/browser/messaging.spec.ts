import { expectAccessible } from "./harness/axe";
import { Api, expect, signIn, test } from "./harness/fixtures";
import { visit } from "./harness/screens";

test("a message goes from a lead to the sandbox's phone, and its answer into the inbox", async ({ page, leadline }) => {
  await signIn(page, leadline);
  const api = await Api.of(page.context(), leadline);
  const lead = await api.post<{ id: string }>("/v1/identity/leads", { name: "Ada Lovelace", phone: "+491701234567" });

  await visit(page, `${leadline.origin}/messaging/channels`);
  await page.getByRole("button", { name: "Add a channel" }).click();
  await page.getByRole("menuitem", { name: /^Sandbox/ }).click();
  const channel = page.getByRole("dialog", { name: "Add Sandbox" });
  await channel.getByLabel("Name").fill("Second sandbox");
  await channel.getByRole("button", { name: "Save" }).click();
  const row = page.getByRole("row", { name: /Second sandbox/ });
  await expect(row).toContainText("Ready");
  await row.getByRole("button", { name: "Test" }).click();
  await expect(page.getByText("The sandbox is ready")).toBeVisible();
  await expectAccessible(page, "channels");

  await visit(page, `${leadline.origin}/messaging/templates`);
  await page.getByRole("button", { name: "New template" }).click();
  const editor = page.getByRole("dialog", { name: "New template" });
  await editor.getByRole("textbox", { name: "Name", exact: true }).fill("Greeting");
  await editor.getByRole("textbox", { name: "Text" }).fill("Hello {{firstName}}, may we call you?");
  await expect(editor.getByRole("region", { name: "Preview" })).toContainText("Hello Ada, may we call you?");
  await expectAccessible(page, "a template being written");
  await editor.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("row", { name: /Greeting/ })).toContainText("Approved");

  await visit(page, `${leadline.origin}/leads/${lead.id}`);
  await page.getByRole("button", { name: "Quick send" }).click();
  const dialog = page.getByRole("dialog", { name: "Quick send" });
  await dialog.getByText("SMS", { exact: true }).click();
  await dialog.getByRole("combobox", { name: "Template" }).click();
  await page.getByRole("option", { name: "Greeting" }).click();
  await dialog.getByRole("button", { name: "Send" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByText("Hello Ada, may we call you?")).toBeVisible();
  await expect(page.locator("[data-status=delivered]").first()).toBeVisible();

  const phone = await page.context().newPage();
  await visit(phone, `${leadline.origin}/messaging/sandbox`);
  await phone.getByRole("button", { name: /\+491701234567/ }).click();
  await expect(phone.getByText("Hello Ada, may we call you?")).toBeVisible();
  await visit(page, `${leadline.origin}/messaging/inbox`);
  await phone.getByLabel("Answer as this person").fill("Yes, tomorrow at ten");
  await phone.getByRole("button", { name: "Answer", exact: true }).click();

  await page.getByRole("link", { name: /Ada Lovelace.*Yes, tomorrow at ten/ }).click();
  const conversation = page.getByRole("region", { name: "Conversation", exact: true });
  await expect(conversation).toContainText("Yes, tomorrow at ten");
  await conversation.getByLabel("Message").fill("Until then, {{firstName}}");
  await conversation.getByRole("button", { name: "Send" }).click();
  await expect(conversation).toContainText("Until then, Ada");
  await expect(conversation.getByText("Delivered").last()).toBeVisible();
  await expectAccessible(page, "the inbox");
  await expect(phone.getByText("Until then, Ada")).toBeVisible();
});
