import type { Page } from "@playwright/test";
import { expectAccessible } from "./harness/axe";
import { Api, expect, signIn, test } from "./harness/fixtures";
import { chooseFromMenu, expectFocusSeen, expectTrapped, tabStops, tabTo, typeOption } from "./harness/keys";
import { visit } from "./harness/screens";
import type { Leadline } from "./harness/server";

interface Recipients {
  data: { leadName: string; status: string }[];
}

interface Campaigns {
  data: { id: string; name: string; state: string; variables: Record<string, object>; perMinute: number }[];
}

/** With a template, three leads, and a segment in which they are. */
async function comeToWork(page: Page, leadline: Leadline): Promise<Api> {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await signIn(page, leadline);
  const api = await Api.of(page.context(), leadline);
  await api.post("/v1/messaging/templates", {
    channel: "email",
    name: "Viewings",
    subject: "The viewings begin",
    body: "Dear {{firstName}}",
    html: "<p>Dear {{firstName}}</p>",
  });
  for (const name of ["Ada Lovelace", "Ben Okri", "Cleo Hart"]) {
    const email = `${name.split(" ")[0]?.toLowerCase()}@spring.example.com`;
    await api.post("/v1/identity/leads", { name, email });
  }
  const condition = { field: "email", op: "ends_with", value: "@spring.example.com" };
  await api.post("/v1/identity/segments", { name: "Spring people", filter: { all: [condition] } });
  await visit(page, `${leadline.origin}/board`);
  return api;
}

/** Goes to the campaigns and begins a new one. */
async function begin(page: Page): Promise<void> {
  await page.keyboard.press("g");
  await page.keyboard.press("c");
  await page.waitForURL("**/campaigns");
  await expect(page.getByRole("heading", { level: 1, name: "Campaigns" })).toBeVisible();
  await page.keyboard.press("n");
  await page.waitForURL("**/campaigns/new");
  await expect(page.getByRole("textbox", { name: "Name", exact: true })).toBeFocused();
}

test("a campaign without a mouse: written field by field, scheduled, taken back and sent", async ({ page, leadline }) => {
  const api = await comeToWork(page, leadline);
  const press = (key: string) => page.keyboard.press(key);
  const name = page.getByRole("textbox", { name: "Name", exact: true });
  const template = page.getByRole("combobox", { name: "Template" });
  const audience = page.getByRole("combobox", { name: "Audience or segment" });
  const dialog = page.getByRole("dialog");

  await begin(page);
  await press("Enter");
  await expect(page.getByText("A campaign needs a name")).toBeVisible();
  await expect(name).toBeFocused();
  await page.keyboard.type("Spring");
  await press("Tab");
  await expect(page.getByRole("combobox", { name: "Channel" })).toBeFocused();
  await press("Tab");
  await typeOption(page, template, "View", "Viewings");

  // To whom it goes is still missing, and the focus says where.
  await tabTo(page, page.getByRole("button", { name: "Send…" }));
  await press("Enter");
  await expect(page.getByText("Choose to whom it goes", { exact: true }).last()).toBeVisible();
  await typeOption(page, audience, "Spring p", "Spring people");
  await tabTo(page, page.getByRole("textbox", { name: "firstName: where there is none" }), "Shift+Tab");
  await page.keyboard.type("friend");

  await tabTo(page, name, "Shift+Tab");
  const stops = await tabStops(page, name, page.getByRole("button", { name: "Save as a draft" }));
  expect(stops).toEqual([
    "Name",
    "Channel",
    "Template",
    "Subject",
    "Try two subjects Some get the one, some the other, and the better one goes to the rest.",
    "firstName: value",
    "firstName: where there is none",
    "Audience or segment",
    "the table of leads",
    "segments",
    "Start later",
    "Sent by",
    "Messages a minute",
    "Quiet hours Nobody gets it then, by their own clock where it is known.",
    "Count who opens it",
    "Count who follows its links",
    "Also the links of the plain text",
    "Send…",
    "Save as a draft",
  ]);
  await press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Spring" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Send…" })).toBeFocused();

  await tabTo(page, page.getByRole("switch", { name: "Start later" }), "Shift+Tab");
  await press("Space");
  await expect(page.getByLabel("Starts at")).toBeVisible();
  const schedule = page.getByRole("button", { name: "Schedule…" });
  await tabTo(page, schedule);
  await press("Enter");
  await expect(page.getByRole("dialog", { name: "Schedule Spring" })).toBeVisible();
  await expectTrapped(page, dialog);
  await expectAccessible(page, "the question before a campaign is scheduled");
  await press("Escape");
  await expect(dialog).toHaveCount(0);
  await expect(schedule).toBeFocused();
  await press("Enter");
  await tabTo(page, dialog.getByRole("button", { name: "Schedule" }));
  await press("Enter");
  await expect(page.getByText(/^Scheduled:/)).toBeVisible();
  await expect(dialog).toHaveCount(0);
  await expect(page.locator("#content:focus, #content :focus")).toHaveCount(1);

  await tabTo(page, page.getByRole("button", { name: "Back to draft" }), "Shift+Tab");
  await press("Enter");
  await expect(page.getByText("Draft", { exact: true })).toBeVisible();
  await tabTo(page, page.getByRole("switch", { name: "Start later" }));
  await press("Space");
  await tabTo(page, page.getByRole("button", { name: "Send…" }));
  await press("Enter");
  await tabTo(page, dialog.getByRole("button", { name: "Send" }));
  await press("Enter");
  await expect(page.getByText("Finished", { exact: true })).toBeVisible({ timeout: 30_000 });

  const [campaign] = (await api.get<Campaigns>("/v1/messaging/campaigns?state=finished")).data.filter((one) => one.name === "Spring");
  expect(campaign?.variables).toEqual({ firstName: expect.objectContaining({ fallback: "friend" }) });
  const { data: sent } = await api.get<Recipients>(`/v1/messaging/campaigns/${campaign?.id}/recipients`);
  expect(sent.map(({ leadName }) => leadName).sort()).toEqual(["Ada Lovelace", "Ben Okri", "Cleo Hart"]);

  // Who got it, one by one.
  const show = page.getByRole("combobox", { name: "Show" });
  await tabTo(page, show);
  await typeOption(page, show, "Deliv", "Delivered");
  await page.waitForURL(/which=delivered/);
  await expect(show).toBeFocused();
  // A moment after the campaign is done the last of them is delivered, and until then the list is another one.
  await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
  const delivered = page.getByRole("region", { name: "Recipients" }).getByRole("cell", { name: "Delivered", exact: true });
  await expect(delivered).toHaveCount(3);
  const ada = page.getByRole("link", { name: "Ada Lovelace" });
  await tabTo(page, ada);
  await expectFocusSeen(page);
  await press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Ada Lovelace" })).toBeVisible();
});

test("a campaign that goes out is paused, goes on and is cancelled without a mouse", async ({ page, leadline }) => {
  await comeToWork(page, leadline);
  const press = (key: string) => page.keyboard.press(key);
  const template = page.getByRole("combobox", { name: "Template" });
  const audience = page.getByRole("combobox", { name: "Audience or segment" });
  const dialog = page.getByRole("dialog");

  await begin(page);
  await page.keyboard.type("Slowly");
  await tabTo(page, template);
  await typeOption(page, template, "View", "Viewings");
  await tabTo(page, audience);
  await typeOption(page, audience, "Spring p", "Spring people");
  // So slow that it is still under way when it is paused.
  await tabTo(page, page.getByRole("textbox", { name: "Messages a minute" }));
  await press("ControlOrMeta+a");
  await page.keyboard.type("1");
  await tabTo(page, page.getByRole("button", { name: "Send…" }));
  await press("Enter");
  await tabTo(page, dialog.getByRole("button", { name: "Send" }));
  await press("Enter");
  await expect(page.getByText("Sending", { exact: true })).toBeVisible();
  await expect(dialog).toHaveCount(0);

  await tabTo(page, page.getByRole("button", { name: "Pause" }));
  await press("Enter");
  await expect(page.getByText("Paused", { exact: true })).toBeVisible();
  const goOn = page.getByRole("button", { name: "Go on" });
  await expect(goOn).toBeFocused();
  await press("Enter");
  await expect(page.getByText("Sending", { exact: true })).toBeVisible();
  await expect(page.getByRole("button", { name: "Pause" })).toBeFocused();

  await press("Tab");
  const more = page.getByRole("button", { name: "More actions" });
  await expect(more).toBeFocused();
  await press("Enter");
  await chooseFromMenu(page, "Cancel…");
  await expect(page.getByRole("dialog", { name: "Cancel Slowly" })).toBeVisible();
  await expectTrapped(page, dialog);
  await press("Escape");
  await expect(dialog).toHaveCount(0);
  await expect(more).toBeFocused();
  await press("Enter");
  await chooseFromMenu(page, "Cancel…");
  await tabTo(page, dialog.getByRole("button", { name: "Cancel the campaign" }));
  await press("Enter");
  await expect(page.getByText("Cancelled", { exact: true })).toBeVisible();
  await expect(dialog).toHaveCount(0);
  await expect(more).toBeFocused();
});
