import { expectAccessible } from "./harness/axe";
import { expect, signIn, test } from "./harness/fixtures";
import { Provider } from "./harness/provider";
import { visit } from "./harness/screens";

test("a super admin sets a provider up, and a colleague comes in by it", async ({ page, browser, leadline }) => {
  const { origin } = leadline;
  const person = { sub: "nora-1", email: "nora@example.com", email_verified: true, name: "Nora Novak" };
  const provider = await Provider.start(person);
  await signIn(page, leadline);
  await visit(page, `${origin}/settings/sign-in`);
  await page.getByLabel("Name", { exact: true }).fill("Example ID");
  await page.getByLabel("Issuer").fill(provider.issuer);
  await page.getByRole("button", { name: "Check the provider" }).click();
  await expect(page.getByRole("status")).toContainText("It can be used");
  await page.getByLabel("Client ID").fill("leadline");
  await page.getByLabel("Client secret", { exact: true }).fill("secret");
  await page.getByRole("combobox", { name: "Domains of e-mail addresses" }).fill("example.com");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("On; nobody has signed in with it yet")).toBeVisible();
  await expectAccessible(page, "/settings/sign-in");

  const context = await browser.newContext();
  const nora = await context.newPage();
  await nora.goto(`${origin}/sign-in?next=/leads`);
  await nora.getByRole("button", { name: "Sign in with Example ID" }).click();
  await expect(nora.getByRole("alert")).toContainText("Nobody has invited you");
  await expectAccessible(nora, "/sign-in");

  await page.getByRole("combobox", { name: "Who may come in" }).click();
  await page.getByRole("option", { name: "Agent" }).click();
  const saved = page.waitForResponse((answer) => answer.request().method() === "PUT" && answer.ok());
  await page.getByRole("button", { name: "Save" }).click();
  await saved;
  await nora.goto(`${origin}/sign-in?next=/leads`);
  await nora.getByRole("button", { name: "Sign in with Example ID" }).click();
  await nora.waitForURL("**/leads");
  await nora.getByRole("button", { name: "Account of Nora Novak" }).click();
  await expect(nora.getByRole("menuitem", { name: "Change the password" })).toHaveCount(0);
  await context.close();
  await provider.stop();
});
