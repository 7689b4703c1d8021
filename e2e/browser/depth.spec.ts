import { expectAccessible } from "./harness/axe";
import { Api, expect, signIn, test } from "./harness/fixtures";
import { visit } from "./harness/screens";

test("a list that is of the newest leads says so, and looks through all of them when asked", async ({ page, leadline }) => {
  await signIn(page, leadline);
  const api = await Api.of(page.context(), leadline);
  await api.post("/v1/identity/leads", { name: "Ida Longago", email: "ida@example.com" });
  // The server answers so where a workspace has more than a hundred thousand leads; those are counted in its own tests.
  await page.route(/\/v1\/identity\/leads\?/, async (route) => {
    if (new URL(route.request().url()).searchParams.has("exact")) return route.continue();
    const answer = await (await route.fetch()).json();
    return route.fulfill({ json: { ...answer, data: [], total: 0, totalIsCapped: true, lookedThrough: 20_000 } });
  });
  const filter = { field: "email", op: "contains", value: "a@" };

  await visit(page, `${leadline.origin}/leads?filter=${encodeURIComponent(JSON.stringify(filter))}`);
  await expect(page.getByText("Only the newest 20,000 leads were looked through.")).toBeVisible();
  await expect(page.getByText("None of these matches the filters")).toBeVisible();
  await expectAccessible(page, "a list of the newest leads");
  await page.getByRole("button", { name: "Look through all" }).click();

  await expect(page.locator("tbody").getByRole("link", { name: "Ida Longago" })).toBeVisible();
  await expect(page.getByText("All leads were looked through")).toBeVisible();
  await expect(page.getByText("None of these matches")).toHaveCount(0);

  // Another question is asked of the newest again.
  await page.getByRole("columnheader", { name: "Name" }).getByRole("button").click();
  await expect(page.getByText("Only the newest 20,000 leads were looked through.")).toBeVisible();
});
