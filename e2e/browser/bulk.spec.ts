import { expectAccessible } from "./harness/axe";
import { Api, expect, signIn, test } from "./harness/fixtures";
import { visit } from "./harness/screens";

/** More than a page of the table has. */
const LEADS = 60;

interface Lead {
  id: string;
  name: string;
}

test("all leads that match are tagged by one job, which survives a page load and is taken back", async ({ page, leadline }) => {
  await signIn(page, leadline);
  const api = await Api.of(page.context(), leadline);
  const leads: Lead[] = [];
  for (let number = 1; number <= LEADS; number++) {
    leads.push(await api.post<Lead>("/v1/identity/leads", { name: `Guest ${number}`, email: `guest${number}@example.com`, company: "Harbour Inn" }));
  }

  await visit(page, `${leadline.origin}/leads?search=Harbour%20Inn`);
  await page.getByRole("checkbox", { name: "Select all leads on this page" }).click();
  await page.getByRole("button", { name: `Select all ${LEADS} that match` }).click();
  const bar = page.getByRole("region", { name: "Selected leads" });
  await expect(bar).toContainText(`All ${LEADS} leads selected`);
  await expectAccessible(page, "all that match are selected");
  await bar.getByRole("button", { name: "Tag", exact: true }).click();
  await page.getByRole("textbox", { name: "Tag", exact: true }).fill("spring");
  await page.getByRole("button", { name: "Add the tag" }).click();

  const strip = page.getByRole("region", { name: "Jobs" });
  await expect(strip).toContainText("Tag leads with spring");
  await expect(strip).toContainText(`${LEADS} changed.`);
  await expect(bar).toBeHidden();
  await page.reload();
  await expect(strip).toContainText(`${LEADS} changed.`);
  await expect(page.getByText(`${LEADS} leads`, { exact: true })).toBeVisible();
  await visit(page, `${leadline.origin}/leads?tag=spring`);
  await expect(page.getByText(`${LEADS} leads`, { exact: true })).toBeVisible();

  // Somebody makes the tag their own on one of them: that one is left alone.
  const [own] = leads;
  await api.patch(`/v1/identity/leads/${own?.id}`, { tags: [] });
  await api.patch(`/v1/identity/leads/${own?.id}`, { tags: ["spring"] });
  await strip.getByRole("button", { name: "Undo" }).click();
  await expect(strip).toContainText(`${LEADS - 1} rows put back, 1 left alone: changed since.`);
  await expect(page.getByText("1 lead", { exact: true })).toBeVisible();

  await strip.getByRole("link", { name: "Tag leads with spring" }).click();
  await page.getByText("Left alone 1").click();
  const results = page.getByRole("region", { name: "Results" });
  await expect(results.getByRole("link", { name: own?.name ?? "", exact: true })).toBeVisible();
  await expect(results).toContainText("No: Somebody changed it since");
  await expectAccessible(page, "a job");
  await page.getByRole("link", { name: "All jobs" }).click();
  await expect(page.getByRole("region", { name: "Jobs" }).last()).toContainText("Put back");
  await expectAccessible(page, "jobs");
});

test("a few ticked leads are deleted at once, and the toast brings them back", async ({ page, leadline }) => {
  await signIn(page, leadline);
  const api = await Api.of(page.context(), leadline);
  for (const name of ["Ada Quill", "Bob Quill"]) {
    await api.post<Lead>("/v1/identity/leads", { name, email: `${name.replace(" ", ".")}@example.com` });
  }

  await visit(page, `${leadline.origin}/leads?search=Quill`);
  await page.getByRole("checkbox", { name: "Select Ada Quill" }).click();
  await expect(page.locator("tr[data-selected]")).toHaveText([/Ada Quill/]);
  await page.getByRole("checkbox", { name: "Select Bob Quill" }).click();
  await page.getByRole("region", { name: "Selected leads" }).getByRole("button", { name: "Delete" }).click();
  const toast = page.getByRole("alert").filter({ hasText: "Deleted 2 leads" });
  await expect(page.getByRole("heading", { name: "No lead matches these filters" })).toBeVisible();
  await toast.getByRole("button", { name: "Undo" }).click();

  await expect(page.getByRole("link", { name: "Ada Quill" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Bob Quill" })).toBeVisible();
});
