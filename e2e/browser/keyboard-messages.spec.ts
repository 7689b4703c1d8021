import type { Browser, Page } from "@playwright/test";
import { expectAccessible } from "./harness/axe";
import { Api, expect, signIn, test } from "./harness/fixtures";
import { chooseFromMenu, tabTo } from "./harness/keys";
import { visit } from "./harness/screens";
import type { Leadline } from "./harness/server";

interface List<Row> {
  data: Row[];
}

const PEOPLE = [
  { name: "Ada Lovelace", phone: "+491701234501", text: "Is the flat still to be had?" },
  { name: "Ben Okri", phone: "+491701234502", text: "When is the viewing?" },
  { name: "Cleo Hart", phone: "+491701234503", text: "What does it cost?" },
];

/** Everybody writes, the last of them latest, and more than fits on a phone. */
async function peopleWrite(api: Api): Promise<void> {
  const channels = await api.get<List<{ id: string; kind: string }>>("/v1/messaging/channels");
  const sandbox = channels.data.find(({ kind }) => kind === "sandbox")?.id;
  for (const { name, phone, text } of PEOPLE) {
    await api.post("/v1/identity/leads", { name, phone });
    for (const said of name === "Cleo Hart" ? [...Array(12).fill("Hello?"), text] : [text]) {
      await api.post(`/v1/messaging/channels/${sandbox}/sandbox/answers`, { channel: "whatsapp", address: phone, text: said });
    }
  }
}

/** The inbox as somebody else in the team sees it. */
async function otherWindow(browser: Browser, leadline: Leadline): Promise<Page> {
  const window = await (await browser.newContext()).newPage();
  await signIn(window, leadline);
  await visit(window, `${leadline.origin}/messaging/inbox`);
  return window;
}

const entryOf = (page: Page, name: string) =>
  page.getByRole("region", { name: "Conversations", exact: true }).getByRole("link", { name: new RegExp(`^${name}`) });
const conversationOf = (page: Page) => page.getByRole("region", { name: "Conversation", exact: true });

/** On the board, where nobody has touched anything yet, after others have written. */
async function comeToWork(page: Page, leadline: Leadline): Promise<Api> {
  await signIn(page, leadline);
  const api = await Api.of(page.context(), leadline);
  await peopleWrite(api);
  await visit(page, `${leadline.origin}/board`);
  return api;
}

test("the inbox without a mouse: walk, answer, note, assign, put off, close, reopen, search", async ({ page, browser, leadline }) => {
  const api = await comeToWork(page, leadline);
  await api.post("/v1/messaging/canned-replies", { name: "Yes, it is", body: "Yes, it still is." });
  const elsewhere = await otherWindow(browser, leadline);
  const [conversation, theirs] = [conversationOf(page), conversationOf(elsewhere)];
  const press = (key: string) => page.keyboard.press(key);

  await press("g");
  await press("i");
  await page.waitForURL("**/messaging/inbox");
  await expect(entryOf(page, "Cleo Hart")).toBeVisible();

  await press("j");
  await expect(conversation).toContainText("What does it cost?");
  await expect(entryOf(page, "Cleo Hart")).toBeFocused();
  await press("j");
  await expect(conversation).toContainText("When is the viewing?");
  await expect(entryOf(page, "Ben Okri")).toBeFocused();
  await press("k");
  await expect(entryOf(page, "Cleo Hart")).toBeFocused();
  await press("ArrowDown");
  await press("ArrowDown");
  await expect(entryOf(page, "Ada Lovelace")).toBeFocused();
  await expect(conversation).toContainText("What does it cost?");
  await press("Enter");
  await expect(conversation).toContainText("Is the flat still to be had?");
  await expect(conversation).toBeFocused();
  await elsewhere.getByRole("link", { name: /^Ada Lovelace/ }).click();

  const message = conversation.getByRole("textbox", { name: "Message" });
  await press("r");
  await expect(message).toBeFocused();
  await expect(message).toHaveValue("");
  await page.keyboard.type("Good day, {{firstName}}.");
  await press("Control+Enter");
  await expect(theirs).toContainText("Good day, Ada.");
  await expect(message).toHaveValue("");
  await expect(message).toBeFocused();

  // A reply that was written before is chosen beside what is written already, and one goes on writing in it.
  await page.keyboard.type("Hello Ada.");
  const canned = conversation.getByRole("button", { name: "Canned replies" });
  await tabTo(page, canned, "Shift+Tab");
  await press("Enter");
  await expect(page.getByRole("menu").locator(":focus")).toHaveCount(1);
  await press("Escape");
  await expect(page.getByRole("menu")).toHaveCount(0);
  await expect(canned).toBeFocused();
  await press("Enter");
  await chooseFromMenu(page, "Yes, it is");
  await expect(message).toBeFocused();
  await page.keyboard.type(" Come and see.");
  const send = conversation.getByRole("button", { name: "Send" });
  await tabTo(page, send);
  await press("Enter");
  await expect(theirs).toContainText("Hello Ada. Yes, it still is. Come and see.");
  await expect(message).toBeFocused();

  // Words that are on their way are no draft any more, also for who goes elsewhere before they are there.
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await page.route("**/replies", async (route) => {
    await held;
    await route.continue();
  });
  await page.keyboard.type("On its way");
  await press("Control+Enter");
  await press("Escape");
  await press("Escape");
  await expect(entryOf(page, "Ada Lovelace")).toBeFocused();
  await press("j");
  await expect(entryOf(page, "Cleo Hart")).toBeFocused();
  await press("k");
  await expect(conversation).toContainText("Yes, it still is. Come and see.");
  await expect(message).toHaveValue("");
  letGo();
  await expect(theirs).toContainText("On its way");
  await page.unroute("**/replies");
  await press("r");
  await expect(message).toBeFocused();

  await page.keyboard.type("Not sent yet");
  await press("Escape");
  await expect(conversation).toBeFocused();
  await press("Escape");
  await expect(entryOf(page, "Ada Lovelace")).toBeFocused();
  await press("j");
  await expect(entryOf(page, "Cleo Hart")).toBeFocused();
  await press("k");
  await expect(message).toHaveValue("Not sent yet");
  await press("r");
  await press("ControlOrMeta+a");
  await press("Delete");
  await press("Escape");

  await press("n");
  const note = conversation.getByRole("textbox", { name: "Note" });
  await expect(note).toBeFocused();
  await page.keyboard.type("Wants the third floor");
  await press("Control+Enter");
  await expect(theirs).toContainText("Wants the third floor");
  await expect(note).toBeFocused();
  await expectAccessible(page, "a conversation by the keyboard");

  await press("Escape");
  await press("o");
  const assigned = conversation.getByRole("combobox", { name: "Assigned to" });
  await expect(assigned).toBeFocused();
  await press("ArrowDown");
  await press("Enter");
  await expect(theirs.getByRole("combobox", { name: "Assigned to" })).not.toHaveValue("");
  await expect(assigned).toBeFocused();

  await press("s");
  await chooseFromMenu(page, "For an hour");
  await expect(entryOf(elsewhere, "Ada Lovelace")).toHaveCount(0);
  await expect(entryOf(page, "Ada Lovelace")).toHaveCount(0);
  await expect(conversation.getByRole("button", { name: "Snoozed" })).toBeFocused();

  // The next one has taken its place.
  await press("j");
  await expect(entryOf(page, "Cleo Hart")).toBeFocused();
  await press("e");
  await expect(entryOf(elsewhere, "Cleo Hart")).toHaveCount(0);
  await expect(conversation.getByRole("button", { name: "Reopen" })).toBeFocused();
  await press("e");
  await expect(entryOf(elsewhere, "Cleo Hart")).toBeVisible();
  await expect(conversation.getByRole("button", { name: "Close" })).toBeFocused();

  await press("/");
  const search = page.getByRole("textbox", { name: "Find a conversation" });
  await expect(search).toBeFocused();
  await page.keyboard.type("Okri");
  await expect(entryOf(page, "Cleo Hart")).toHaveCount(0);
  await press("ArrowDown");
  await expect(entryOf(page, "Ben Okri")).toBeFocused();
  await press("Enter");
  await expect(conversation).toBeFocused();

  await press("?");
  const sheet = page.getByRole("dialog", { name: "Keys" });
  for (const told of ["Go to the inbox", "Open the next conversation", "Send the answer, keep the note", "Close or reopen"]) {
    await expect(sheet.getByText(told)).toBeVisible();
  }
  await press("Escape");
  await expect(sheet).toHaveCount(0);
  await expect(conversation).toBeFocused();
});

test("on a phone the keys go from the list to the conversation and back", async ({ page, leadline }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await comeToWork(page, leadline);
  const conversation = conversationOf(page);

  await page.keyboard.press("ControlOrMeta+k");
  await expect(page.getByPlaceholder("A name, an e-mail address, an action")).toBeFocused();
  await page.keyboard.type("inbox");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/messaging/inbox");
  await tabTo(page, entryOf(page, "Cleo Hart"));
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(conversation).toBeFocused();
  await expect(conversation).toContainText("When is the viewing?");
  await page.keyboard.press("Escape");
  await expect(conversation).toHaveCount(0);
  await expect(entryOf(page, "Ben Okri")).toBeFocused();
  await page.keyboard.press("j");
  await expect(conversation).toContainText("What does it cost?");
  await expect(conversation).toBeFocused();

  // Above the navigation, however much was said.
  const send = await conversation.getByRole("button", { name: "Send" }).boundingBox();
  const navigation = await page.getByRole("navigation", { name: "Main" }).boundingBox();
  if (!send || !navigation) throw new Error("neither is hidden");
  expect(send.y + send.height).toBeLessThan(navigation.y);
});

test("somebody else closes the conversation that has the focus, and the focus stays in the list", async ({ page, leadline }) => {
  const api = await comeToWork(page, leadline);
  await visit(page, `${leadline.origin}/messaging/inbox`);
  await tabTo(page, entryOf(page, "Cleo Hart"));
  await page.keyboard.press("ArrowDown");
  await expect(entryOf(page, "Ben Okri")).toBeFocused();

  const inbox = await api.get<List<{ id: string; leadName: string }>>("/v1/messaging/inbox?search=Okri");
  await api.patch(`/v1/messaging/conversations/${inbox.data[0]?.id}`, { isClosed: true });

  await expect(entryOf(page, "Ben Okri")).toHaveCount(0);
  await expect(entryOf(page, "Cleo Hart")).toBeFocused();
});
