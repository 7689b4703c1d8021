import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Browser, type Page, test } from "@playwright/test";
import { settled } from "../browser/harness/axe";
import { Api, signIn } from "../browser/harness/fixtures";
import { visit } from "../browser/harness/screens";
import { Leadline } from "../browser/harness/server";
import { pagesOf } from "./pages";

const FOLDER = fileURLToPath(new URL("../../docs/screens/", import.meta.url));

const WIDTHS = { 1440: { width: 1440, height: 900 }, 390: { width: 390, height: 844 } } as const;

/** Nobody has so long a name, but everything must stand beside it. */
const LONG_NAME = "Maximiliana Wolkenstein-Hohenberg y Fernández de Córdoba-Montemayor";

const STATES: { state: string; start: () => Promise<Leadline>; fill?: (api: Api) => Promise<void> }[] = [
  { state: "normal", start: () => Leadline.start() },
  { state: "empty", start: () => Leadline.startEmpty() },
  { state: "crowded", start: () => Leadline.start(), fill: crowd },
];

for (const { state, start, fill } of STATES) {
  test(state, async ({ browser }) => {
    const leadline = await start();
    for (const width of [1440, 390] as const) {
      for (const theme of ["light", "dark"] as const) {
        await paint(browser, leadline, { state, width, theme, fill: width === 1440 && theme === "light" ? fill : undefined });
      }
    }
    await leadline.stop();
  });
}

interface Painted {
  state: string;
  width: keyof typeof WIDTHS;
  theme: "light" | "dark";
  fill: ((api: Api) => Promise<void>) | undefined;
}

async function paint(browser: Browser, leadline: Leadline, { state, width, theme, fill }: Painted): Promise<void> {
  const context = await browser.newContext({ viewport: WIDTHS[width], colorScheme: theme });
  const page = await context.newPage();
  await signIn(page, leadline);
  const api = await Api.of(context, leadline);
  await fill?.(api);
  mkdirSync(FOLDER, { recursive: true });
  for (const { name, path } of await pagesOf(api, await settingsOf(page, leadline))) {
    if (process.env.ONLY && !process.env.ONLY.split(",").includes(name)) continue;
    await visit(page, leadline.origin + path);
    await settled(page);
    writeFileSync(`${FOLDER}${name}-${state}-${width}-${theme}.webp`, await picture(page));
  }
  await context.close();
}

/** As WebP, a third of what a PNG takes; Playwright itself makes none. */
async function picture(page: Page): Promise<Buffer> {
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: 70 });
  await session.detach();
  return Buffer.from(data, "base64");
}

/** The settings that there are, from their own menu. */
async function settingsOf(page: Page, { origin }: Leadline): Promise<string[]> {
  await page.goto(`${origin}/settings`);
  const links = page.getByRole("navigation", { name: "Settings" }).getByRole("link");
  await links.first().waitFor();
  return links.evaluateAll((all) => all.map((link) => link.getAttribute("href") ?? ""));
}

async function crowd(api: Api): Promise<void> {
  for (let number = 0; number < 150; number++) {
    await api.post("/v1/identity/leads", {
      name: `${LONG_NAME} ${number}`,
      email: `${"a-very-long-address-".repeat(2)}${number}@subdomain.of.a.very.long.example.com`,
      company: "The Honourable Society of Owners of Very Long Company Names, Holding GmbH & Co. KG",
      tags: ["follow up next quarter", "met at the fair in spring", "asked for a brochure", `group ${number % 12}`],
      message: "A message that goes on for a while, as they do. ".repeat(8),
      customFields: Object.fromEntries([...Array(12).keys()].map((field) => [`field${field}`, `Value ${field} of lead ${number}`])),
    });
  }
}
