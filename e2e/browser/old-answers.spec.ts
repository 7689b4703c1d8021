import type { Page } from "@playwright/test";
import { Api, expect, signIn, test } from "./harness/fixtures";
import { submitDemoForm, visit } from "./harness/screens";

/** Holds requests whose address matches, until they are let go. */
async function hold(page: Page, address: RegExp): Promise<() => void> {
  let letGo = () => {};
  const gone = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await page.route(address, async (route) => {
    await gone;
    await route.continue();
  });
  return letGo;
}

const OLD = "[aria-busy=true]";

test("a list that answers the question before says so, and all of it cannot be sent again", async ({ page, leadline }) => {
  await submitDemoForm(page, leadline, { name: "Ada Lovelace", email: "ada@example.com" });
  await page.waitForURL("**/demo/thanks");
  await signIn(page, leadline);
  await visit(page, `${leadline.origin}/destinations?tab=log&status=delivered`);
  const sendAll = page.getByRole("button", { name: /^(Send all [\d,]+|Send it) again$/ });
  await expect(sendAll).toBeEnabled();

  const letGo = await hold(page, /\/v1\/delivery\/deliveries\?.*event=/);
  await page.getByRole("combobox", { name: "Event" }).click();
  await page.getByRole("option").first().click();
  await expect(page.locator(OLD)).toHaveCount(1);
  const lineOpacity = () => page.locator(OLD).evaluate((list) => getComputedStyle(list, "::before").opacity);
  await expect.poll(lineOpacity, "the line on top of it is seen").toBe("1");
  await expect(sendAll).toBeDisabled();
  letGo();
  await expect(page.locator(OLD)).toHaveCount(0);
  await expect(page.getByText(/deliver(y|ies)$/).or(page.getByText("No delivery matches")).first()).toBeVisible();
});

test("on a board of other filters nothing is moved", async ({ page, leadline }) => {
  const api = await Api.of(page.context(), leadline);
  await api.post("/v1/identity/leads", { name: "Ada Lovelace", email: "ada@example.com" });
  await signIn(page, leadline);
  const inNew = page.getByRole("region", { name: /^New, / }).getByRole("link", { name: /^Ada Lovelace/ });
  await expect(page.locator("[draggable=true]", { hasText: "Ada Lovelace" })).toBeVisible();

  const letGo = await hold(page, /\/v1\/identity\/board\?.*search=/);
  await page.getByRole("textbox", { name: "Search leads" }).fill("Lovelace");
  await expect(page.locator(OLD)).toHaveCount(1);
  await inNew.focus();
  await page.keyboard.press("Alt+ArrowRight");
  const [from, to] = [await inNew.boundingBox(), await page.getByRole("region", { name: /^Contacted, / }).boundingBox()];
  if (!from || !to) throw new Error("the board is not seen");
  await page.mouse.move(from.x + 40, from.y + 20);
  await page.mouse.down();
  await page.mouse.move(to.x + 60, to.y + 100, { steps: 8 });
  await page.mouse.up();
  letGo();
  await expect(page.locator(OLD)).toHaveCount(0);
  await expect(inNew).toBeVisible();
  // Now that it is the board that was asked for, it moves.
  await inNew.focus();
  await page.keyboard.press("Alt+ArrowRight");
  await expect(inNew).toHaveCount(0);
  await expect(page.getByRole("link", { name: /^Ada Lovelace/ })).toBeVisible();
});

test("what a lead was lost for is asked even where its pipeline comes late", async ({ page, leadline }) => {
  const letGo = await hold(page, /\/v1\/identity\/lead-pipelines\?/);
  await signIn(page, leadline);
  await page.locator("[data-stage]").nth(-2).locator("[data-card]").first().focus();
  await page.keyboard.press("Alt+ArrowRight");
  letGo();

  await expect(page.getByRole("dialog", { name: "Why was it lost?" })).toBeVisible();
});

test("a lead that is added on a board begins there, even where its pipeline comes late", async ({ page, leadline }) => {
  const api = await Api.of(page.context(), leadline);
  const stages = [{ name: "Asked", color: "teal", kind: "open" }, { name: "Bought", color: "green", kind: "won" }];
  const { id } = await api.post<{ id: string }>("/v1/identity/lead-pipelines", { name: "Second", stages });
  const letGo = await hold(page, /\/v1\/identity\/lead-pipelines\?/);
  await signIn(page, leadline);
  await visit(page, `${leadline.origin}/board?pipelineId=${id}`);
  await page.getByRole("button", { name: "Add lead" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a lead" });
  await dialog.getByLabel("Name").fill("Mary Somerville");
  letGo();
  await dialog.getByRole("button", { name: "Add the lead" }).click();

  await expect(page.getByRole("region", { name: "Asked, 1 leads" }).getByText("Mary Somerville")).toBeVisible();
});
