import { expectAccessible } from "./harness/axe";
import { Api, expect, test } from "./harness/fixtures";
import { submitDemoForm, visit } from "./harness/screens";

const SETTINGS = ["workspace", "scoring", "fraud", "analysis", "users", "roles", "tokens", "sessions", "ledger"].map((tab) => `/settings/${tab}`);
const SCREENS = ["/board", "/leads", "/contacts", "/segments", "/segments/new", "/reports?compare=previous", "/reports?report=funnel", "/fraud", "/sources", "/widgets/new", "/captures", "/jobs", "/duplicates", "/messaging/inbox", "/messaging/templates", "/messaging/channels", "/messaging/sandbox", "/campaigns", "/campaigns/new", "/campaigns?tab=messages", "/automations", "/automations/new", "/tasks", "/imports", "/destinations", ...SETTINGS, "/demo", "/demo/receiver"];

interface List {
  data: { id: string }[];
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing serious on any screen in the ${colorScheme} theme`, async ({ page, leadline }) => {
    // Some fifty screens, each looked at whole.
    test.setTimeout(300_000);
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await visit(page, `${leadline.origin}/sign-in`);
    await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", colorScheme);
    await expectAccessible(page, "/sign-in");
    await submitDemoForm(page, leadline, { name: "Ada Lovelace", email: "ada@example.com" });
    await page.waitForURL("**/demo/thanks");
    await expectAccessible(page, "/demo/thanks");
    const api = await Api.of(page.context(), leadline);
    const first = async (path: string) => (await api.get<List>(path)).data[0]?.id;
    const lead = await first("/v1/identity/leads?limit=1");
    const details = [
      `/leads/${lead}`,
      `/board?lead=${lead}`,
      `/contacts/${await first("/v1/identity/contacts?limit=1")}`,
      `/campaigns/${await first("/v1/messaging/campaigns?state=draft")}`,
      `/campaigns/${await first("/v1/messaging/campaigns?state=finished")}`,
      `/automations/${await first("/v1/identity/lead-automations")}`,
      `/destinations/${await first("/v1/delivery/destinations")}`,
      `/deliveries/${await first("/v1/delivery/deliveries?limit=1")}`,
    ];

    for (const screen of [...SCREENS, ...details]) {
      await visit(page, leadline.origin + screen);
      await expectAccessible(page, screen);
    }
  });
}
