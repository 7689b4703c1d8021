import { createHmac } from "node:crypto";
import type { Page } from "@playwright/test";
import { expectAccessible } from "./harness/axe";
import { expect, signIn, test } from "./harness/fixtures";
import { guard } from "./harness/guard";
import { visit } from "./harness/screens";

const EMAIL = "nora@example.com";
const PASSWORD = "a long enough password";

/** What an authenticator app shows for this key now (RFC 6238). */
function codeOf(key: string): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...key].map((letter) => letters.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const bytes = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const digest = createHmac("sha1", bytes).update(counter).digest();
  const word = digest.readUInt32BE((digest[19] as number) & 15) & 0x7fffffff;
  return String(word % 1_000_000).padStart(6, "0");
}

async function enterPassword(page: Page, origin: string): Promise<void> {
  await page.goto(`${origin}/sign-in`);
  await page.getByLabel("E-mail").fill(EMAIL);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
}

test("somebody invited joins, loses a page with their role, and signs in with a second factor", async ({ page, browser, leadline }) => {
  const { origin } = leadline;
  await signIn(page, leadline);
  await visit(page, `${origin}/settings/users`);
  await page.getByRole("button", { name: "Invite" }).click();
  await page.getByRole("dialog").getByLabel("E-mail").fill(EMAIL);
  await page.getByRole("dialog").getByRole("combobox", { name: "Role" }).click();
  await page.getByRole("option", { name: "Marketer" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Invite" }).click();
  const link = (await page.getByRole("region", { name: "Invitation link" }).textContent()) ?? "";
  await page.getByRole("button", { name: "Done" }).click();
  await expect(page.getByRole("region", { name: "Table of invitations" })).toContainText(EMAIL);

  const context = await browser.newContext();
  const faults = await guard(context, origin);
  const nora = await context.newPage();
  await nora.goto(link);
  await expect(nora.getByRole("heading", { level: 1 })).toHaveText("Join Harbour Lofts");
  await expectAccessible(nora, "/invitation");
  await nora.getByLabel("Your name").fill("Nora Novak");
  await nora.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await nora.getByRole("button", { name: "Join" }).click();
  await nora.waitForURL("**/board");
  const destinations = nora.getByRole("link", { name: "Destinations" }).first();
  await expect(destinations).toBeVisible();

  await visit(page, `${origin}/settings/users`);
  await page.getByRole("combobox", { name: "Role of Nora Novak" }).click();
  await page.getByRole("option", { name: "Agent" }).click();
  await expect(destinations).toBeHidden();

  await visit(nora, `${origin}/settings/sessions`);
  await nora.getByRole("button", { name: "Set it up" }).click();
  await expect(nora.getByRole("img", { name: /QR code/ })).toBeVisible();
  await expectAccessible(nora, "setting up a second factor");
  const key = ((await nora.getByRole("region", { name: "Key" }).textContent()) ?? "").trim();
  await nora.getByLabel("Code", { exact: true }).fill(codeOf(key));
  await nora.getByRole("button", { name: "Switch it on" }).click();
  const [code] = ((await nora.getByRole("region", { name: "Recovery codes" }).textContent()) ?? "").trim().split(/\s+/);
  await nora.getByRole("button", { name: "I stored them" }).click();
  await expect(nora.getByRole("region", { name: "Second factor" })).toContainText("On since");

  await context.clearCookies();
  await enterPassword(nora, origin);
  await expect(nora.getByRole("heading", { level: 1 })).toHaveText("Second factor");
  await nora.getByLabel("Code").fill("000000");
  await nora.getByRole("button", { name: "Sign in" }).click();
  await expect(nora.getByRole("alert")).toBeVisible();
  await nora.getByLabel("Code").fill(code ?? "");
  await nora.getByRole("button", { name: "Sign in" }).click();
  await nora.waitForURL("**/board");
  expect(faults).toEqual([]);

  await visit(page, `${origin}/settings/audit`);
  const log = page.getByRole("region", { name: "Audit log" }).last();
  for (const deed of ["Accepted an invitation", "Changed a user", "Set up a second factor", "Failed to sign in"]) {
    await expect(log).toContainText(deed);
  }
});

test("a role of the workspace's own is made, ticked and given away again", async ({ page, leadline }) => {
  await signIn(page, leadline);
  await visit(page, `${leadline.origin}/settings/roles`);
  await page.getByRole("button", { name: "New role" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("Night shift");
  await page.getByRole("button", { name: "Make the role" }).click();

  const tick = page.getByRole("checkbox", { name: "Night shift: See destinations and deliveries" });
  const other = page.getByRole("checkbox", { name: "Night shift: Send deliveries again" });
  const saved = page.waitForResponse(
    async (answer) => answer.request().method() === "PATCH" && (await answer.text()).includes("deliveries:replay"),
  );
  await tick.click();
  await other.click();
  expect((await saved).ok()).toBe(true);
  await page.reload();
  await expect(tick).toBeChecked();
  await expect(other).toBeChecked();
  await expectAccessible(page, "roles with one of its own");

  await visit(page, `${leadline.origin}/settings/users`);
  await page.getByRole("combobox", { name: "Role of Tom Okafor" }).click();
  await page.getByRole("option", { name: "Night shift" }).click();
  await expect(page.getByRole("combobox", { name: "Role of Tom Okafor" })).toHaveValue("Night shift");
  await visit(page, `${leadline.origin}/settings/roles`);
  await page.getByRole("button", { name: "More for the role Night shift" }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await expect(page.getByRole("dialog")).toContainText("1 member has this role");
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(tick).toHaveCount(0);
});
