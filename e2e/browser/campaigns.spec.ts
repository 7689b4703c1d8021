import { expectAccessible } from "./harness/axe";
import { Api, expect, signIn, test } from "./harness/fixtures";
import { visit } from "./harness/screens";

const HTML = '<p>Dear {{firstName}}</p><p><a href="https://example.com/viewings">Choose your time</a></p>';

test("a campaign is written, previewed, sent and reported, and its link unsubscribes", async ({ page, leadline }) => {
  await signIn(page, leadline);
  const api = await Api.of(page.context(), leadline);
  await api.post("/v1/messaging/channels", { kind: "sandbox", name: "Sandbox" });
  const template = { channel: "email", name: "Viewings", subject: "The viewings begin", body: "Dear {{firstName}}" };
  await api.post("/v1/messaging/templates", { ...template, html: HTML });
  const leads: string[] = [];
  for (const name of ["Ada Lovelace", "Ben Okri", "Cleo Hart"]) {
    const email = `${name.split(" ")[0]?.toLowerCase()}@example.com`;
    leads.push((await api.post<{ id: string }>("/v1/identity/leads", { name, email })).id);
  }
  leads.push((await api.post<{ id: string }>("/v1/identity/leads", { name: "Dan Weber", phone: "+491701234567" })).id);
  await api.post("/v1/identity/leads/broadcast/create-audience", { name: "Spring list", leadIds: leads });

  await visit(page, `${leadline.origin}/campaigns`);
  await page.getByRole("button", { name: "New campaign" }).click();
  await page.getByRole("button", { name: "Save as a draft" }).click();
  await expect(page.getByText("A campaign needs a name")).toBeVisible();
  await page.getByLabel("Name", { exact: false }).first().fill("Spring");
  await page.getByLabel("Template").selectOption("Viewings");
  await page.getByLabel("Audience or segment").selectOption({ label: "Spring list (4 leads)" });
  await page.getByRole("button", { name: "Save as a draft" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Spring" })).toBeVisible();
  const preview = page.getByRole("complementary", { name: "Preview" });
  await expect(preview).toContainText("The viewings begin");
  await expect(preview.frameLocator("iframe").getByText(/^Dear (Ada|Ben|Cleo|Dan)/)).toBeVisible();
  await expectAccessible(page, "a campaign being written");

  await page.getByRole("button", { name: "Send…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Send" }).click();
  await expect(page.getByText("Finished", { exact: true })).toBeVisible({ timeout: 30_000 });
  const recipients = page.getByRole("region", { name: "Recipients" }).first();
  await expect(recipients.getByRole("row", { name: /Dan Weber/ })).toContainText("No e-mail address");
  await expect(recipients.getByRole("row", { name: /Ada Lovelace/ })).toContainText("Delivered");
  await expectAccessible(page, "the report of a campaign");

  const letter = await arrived(api, "ada@example.com");
  const way = /https?:\/\/[^"/]+(\/u\/[\w-]+)/.exec(letter)?.[1];
  // Somebody who never signed in here follows the link of their letter.
  const stranger = await page.context().browser()?.newContext({ javaScriptEnabled: false });
  const mailbox = await stranger?.newPage();
  if (!mailbox || !way) throw new Error("no way out in the letter");
  await mailbox.goto(`${leadline.origin}${way}`);
  await mailbox.getByRole("button", { name: "Unsubscribe" }).click();
  await expect(mailbox.getByRole("heading", { name: "You are unsubscribed" })).toBeVisible();
  await stranger?.close();

  await page.getByLabel("Show").selectOption("Unsubscribed");
  await expect(recipients.getByRole("row", { name: /Ada Lovelace/ })).toContainText("Unsubscribed");
  await visit(page, `${leadline.origin}/campaigns`);
  await expect(page.getByRole("row", { name: /^Spring (?!viewings)/ })).toContainText("Finished");
  await expectAccessible(page, "the campaigns");
  await page.getByRole("tab", { name: "All messages" }).click();
  await expect(page.getByRole("row", { name: /^Spring (?!viewings)/ })).toContainText("3");
});

/** The page of the letter that arrived at an address of the sandbox. */
async function arrived(api: Api, address: string): Promise<string> {
  const channels = await api.get<{ data: { id: string; kind: string }[] }>("/v1/messaging/channels");
  const sandbox = channels.data.find(({ kind }) => kind === "sandbox");
  const path = `/v1/messaging/channels/${sandbox?.id}/sandbox/arrivals?address=${encodeURIComponent(address)}`;
  const arrivals = await api.get<{ data: { html: string }[] }>(path);
  return arrivals.data[0]?.html ?? "";
}
