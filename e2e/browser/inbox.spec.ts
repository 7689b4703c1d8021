import { expectAccessible } from "./harness/axe";
import { Api, expect, signIn, test } from "./harness/fixtures";
import { visit } from "./harness/screens";

interface Page<Row> {
  data: Row[];
}

test("what happens in one window is in the other without a reload", async ({ browser, page, leadline }) => {
  await signIn(page, leadline);
  const api = await Api.of(page.context(), leadline);
  const elsewhere = await (await browser.newContext()).newPage();
  await signIn(elsewhere, leadline);
  const channels = await api.get<Page<{ id: string; kind: string }>>("/v1/messaging/channels");
  const sandbox = channels.data.find(({ kind }) => kind === "sandbox")?.id;
  const lead = await api.post<{ id: string }>("/v1/identity/leads", { name: "Ada Lovelace", phone: "+491701234567" });
  const write = (text: string) =>
    api.post<{ conversationId: string }>(`/v1/messaging/channels/${sandbox}/sandbox/answers`, {
      channel: "whatsapp",
      address: "+491701234567",
      text,
    });

  await visit(page, `${leadline.origin}/messaging/inbox`);
  await visit(elsewhere, `${leadline.origin}/messaging/inbox`);
  const { conversationId } = await write("Is the flat still to be had?");
  expect(lead.id).not.toBe(conversationId);
  const entry = /Ada Lovelace.*Is the flat still to be had\?/;
  for (const window of [page, elsewhere]) {
    await expect(window.getByRole("link", { name: new RegExp(`${entry.source}.*1 new`) })).toBeVisible();
  }
  for (const window of [page, elsewhere]) await window.getByRole("link", { name: entry }).click();
  const [here, there] = [page, elsewhere].map((window) => window.getByRole("region", { name: "Conversation", exact: true }));
  if (!here || !there) throw new Error("two windows");
  await expect(there).toContainText("Is the flat still to be had?");

  await here.getByLabel("Message").fill("Yes, {{firstName}}. See the plan.");
  await here.locator("input[type=file]").setInputFiles({
    name: "plan.png",
    mimeType: "image/png",
    // A picture of one point.
    buffer: Buffer.from(
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
      "base64",
    ),
  });
  await expect(here.getByRole("button", { name: "Take plan.png out" })).toBeVisible();
  await here.getByRole("button", { name: "Send" }).click();
  await expect(there).toContainText("Yes, Ada. See the plan.");
  await expect(there.getByText("Delivered").last()).toBeVisible();
  const picture = there.getByRole("img", { name: "plan.png" });
  await expect(picture).toBeVisible();
  expect(await picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(1);
  const [saved] = await Promise.all([elsewhere.waitForEvent("download"), there.getByRole("link", { name: "plan.png" }).click()]);
  expect(saved.suggestedFilename()).toBe("plan.png");
  await expectAccessible(page, "a conversation with a file");

  await here.getByText("Note", { exact: true }).click();
  await here.getByRole("textbox", { name: "Note" }).fill("Wants the third floor");
  await here.getByRole("button", { name: "Keep the note" }).click();
  await expect(there).toContainText("Wants the third floor");

  const listed = elsewhere.getByRole("region", { name: "Conversations" }).getByRole("link", { name: /Ada Lovelace/ });
  await here.getByRole("combobox", { name: "Assigned to" }).click();
  await page.getByRole("option").first().click();
  await expect(there.getByRole("combobox", { name: "Assigned to" })).not.toHaveValue("");
  await here.getByRole("button", { name: "Snooze" }).click();
  await page.getByRole("menuitem", { name: "For an hour" }).click();
  await expect(listed).toHaveCount(0);
  await write("Hello?");
  await expect(elsewhere.getByRole("link", { name: /Ada Lovelace.*Hello\?/ })).toBeVisible();
  await here.getByRole("button", { name: "Close" }).click();
  await expect(listed).toHaveCount(0);
});
