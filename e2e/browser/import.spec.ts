import { expectAccessible } from "./harness/axe";
import { Api, expect, signIn, test } from "./harness/fixtures";
import { visit } from "./harness/screens";

const ROWS = 10_000;

/** Ten thousand people; every hundredth row names nobody, and one lead is there twice. */
function people(): Buffer {
  const rows = ["Full name;E-Mail;Mobile;Budget;Internal id"];
  for (let row = 1; row <= ROWS; row += 1) {
    rows.push(row % 100 === 0 ? `;;;=1+${row};x` : `Person ${row};person${row === 9_999 ? 5 : row}@fair.example;;${row};x`);
  }
  // As a spreadsheet in Germany saves it.
  return Buffer.from(`${rows.join("\r\n")}\r\n`.replace("Person 1;", "Zoë Müller;"), "latin1");
}

test("ten thousand rows come in, the bad ones come back, and all of it is taken back", async ({ page, context, leadline }) => {
  // Ten thousand rows are tried, made and put back.
  test.setTimeout(300_000);
  await signIn(page, leadline);
  const api = await Api.of(context, leadline);
  const count = async () => (await api.get<{ total: number }>("/v1/identity/leads?source=import")).total;
  const before = await count();
  await visit(page, `${leadline.origin}/imports`);
  await expectAccessible(page, "imports");

  await page.getByLabel("File of leads").setInputFiles({ name: "fair.csv", mimeType: "text/csv", buffer: people() });
  await expect(page.getByRole("heading", { level: 1, name: "fair.csv" })).toBeVisible();
  await expect(page.getByText("10,000 rows · CSV, windows-1252, separated by semicolons")).toBeVisible();
  await expect(page.getByLabel("What Full name becomes")).toHaveValue("name");
  await expect(page.getByLabel("What E-Mail becomes")).toHaveValue("email");
  await page.getByLabel("What Internal id becomes").selectOption("Leave out");
  await page.getByLabel("Name of the custom field for Budget").fill("Money");
  await expectAccessible(page, "columns");

  await page.getByRole("button", { name: "Try without changing anything" }).click();
  const would = page.getByRole("region", { name: "What would happen" });
  await expect(would.getByText("would be new leads")).toBeVisible({ timeout: 60_000 });
  await expect(would.getByRole("listitem").filter({ hasText: "would make no lead" })).toContainText("100");
  await expect(would).toContainText("Row 101: There is no name, e-mail address or phone number in it.");
  expect(await count()).toBe(before);

  await page.getByRole("button", { name: "Import 10,000 rows" }).click();
  const outcome = page.getByRole("region", { name: "Import", exact: true });
  await expect(outcome.getByText("Done", { exact: true })).toBeVisible({ timeout: 100_000 });
  await expect(outcome.getByRole("listitem").filter({ hasText: "new leads" })).toContainText("9,899");
  await expect(outcome.getByRole("listitem").filter({ hasText: "repeat a row before them" })).toContainText("1");
  await expectAccessible(page, "outcome");
  const download = page.waitForEvent("download");
  await outcome.getByRole("link", { name: "Download 100 refused rows" }).click();
  const text = await (await (await download).createReadStream()).toArray();
  const lines = Buffer.concat(text).toString("utf8").trim().split("\r\n");
  expect(lines).toHaveLength(101);
  expect(lines[1]).toContain("'=1+100");

  await outcome.getByRole("link", { name: "Show imported leads" }).click();
  await page.getByRole("searchbox").or(page.locator("input[data-page-search]")).first().fill("Zoë Müller");
  await expect(page.getByText("Zoë Müller").first()).toBeVisible();

  await visit(page, `${leadline.origin}/imports`);
  await page.getByRole("link", { name: "fair.csv", exact: true }).click();
  await outcome.getByRole("button", { name: "Undo the import" }).click();
  await page.getByRole("dialog", { name: "Undo the import?" }).getByRole("button", { name: "Undo", exact: true }).click();
  await expect(outcome.getByText("Put back", { exact: true })).toBeVisible({ timeout: 100_000 });
  await expect(outcome).toContainText("9,900 rows put back.");
  expect(await count()).toBe(before);
});
