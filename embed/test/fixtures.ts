import { test as base, type Page } from "@playwright/test";
import { RecordingLeadline, Website } from "./servers";

interface Fixtures {
  leadline: RecordingLeadline;
  site: Site;
  /** What went wrong in the page without the page's doing: errors, policy violations. Must stay empty. */
  faults: string[];
}

interface PageOptions {
  path?: string;
  csp?: string;
  /** Attributes of the script tag; `null` leaves the tag out. */
  tag?: string | null;
}

export class Site {
  constructor(
    private readonly website: Website,
    private readonly leadline: RecordingLeadline,
  ) {}

  get origin(): string {
    return this.website.origin;
  }

  /** Puts a page on the website, with the script in it, and answers its address. `HOST` stands for Leadline. */
  serve(body: string, { path = "/", csp, tag = "" }: PageOptions = {}): string {
    const script = tag === null ? "" : `<script async src="HOST/embed.js" data-site="site-1" ${tag}></script>`;
    const html = `<!doctype html><html lang="en"><head><title>A website</title>${script}</head><body>${body}</body></html>`;
    const page = { html: html.replaceAll("HOST", this.leadline.origin) };
    this.website.pages.set(path, csp ? { ...page, csp: csp.replaceAll("HOST", this.leadline.origin) } : page);
    return this.website.origin + path;
  }
}

export const CONTACT_FORM = `
  <form data-leadline-form="form-1">
    <label>Name <input name="name" required></label>
    <label>Email <input name="email" type="email"></label>
    <label>Message <textarea name="message"></textarea></label>
    <button>Send</button>
  </form>`;

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the needed fixtures off the pattern.
  leadline: async ({}, use) => {
    const leadline = new RecordingLeadline();
    await leadline.start();
    await use(leadline);
    await leadline.stop();
  },
  site: async ({ leadline }, use) => {
    const website = new Website();
    await website.start();
    await use(new Site(website, leadline));
    await website.stop();
  },
  faults: async ({ page }, use) => {
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
    page.on("console", (message) => {
      if (/Content Security Policy|Trusted/i.test(message.text())) faults.push(message.text());
    });
    await use(faults);
  },
});

export { expect } from "@playwright/test";

/** Opens a page and waits until the script has bound its forms. */
export async function open(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await scriptLoaded(page);
}

export async function scriptLoaded(page: Page): Promise<void> {
  await page.waitForFunction(() => (window as unknown as { leadline?: { isLoaded?: boolean } }).leadline?.isLoaded);
}

export async function fillAndSend(page: Page, name = "Ada Lovelace"): Promise<void> {
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Email").fill("ada@example.com");
  await page.getByRole("button", { name: "Send" }).click();
}

/** The submissions that the browser still holds for later. */
export function queued(page: Page): Promise<string[]> {
  return page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("leadline.queue.")));
}
